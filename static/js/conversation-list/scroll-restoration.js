// The list stays where it was while one goes from conversation to conversation, and on a small screen back and forth.
import { key } from "shared/current-user";
import { list, loadMore } from "conversation-list/infinite-scroll";

const PAGES = 10; // at most, loaded to get there again
const KEPT = key("list");

/** @param {HTMLElement} list */
const rowsIn = (list) => list.querySelectorAll("li.conversation[data-group]").length;

/** @param {HTMLElement} list */
async function restore(list) {
  const { top = 0, rows = 0 } = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  sessionStorage.removeItem(KEPT);
  list.scrollTop = top;
  for (let page = 0; page < PAGES && rowsIn(list) < rows && list.scrollTop < top - 1; page += 1) {
    await loadMore();
    list.scrollTop = top;
  }
}

// On a small screen a thread's page has the list, too, and does not show it.
const isShown = () => list !== null && list.clientHeight > 0;

if (list) {
  const body = list;
  if (isShown()) restore(body).catch(() => {});
  addEventListener("pagehide", () => {
    if (isShown()) sessionStorage.setItem(KEPT, JSON.stringify({ top: body.scrollTop, rows: rowsIn(body) }));
  });
  // Who asks for the list in the rail wants its beginning.
  document.querySelector(".rail")?.addEventListener("click", () => {
    addEventListener("pagehide", () => sessionStorage.removeItem(KEPT), { once: true });
  });
}

// "Back" goes back where one came from the list, so that its history does not grow with every conversation.
const back = /** @type {HTMLAnchorElement | null} */ (document.querySelector(".thread__back"));
back?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  /** @type {{ entries(): { url: string | null }[], currentEntry: { index: number } | null } | undefined} */
  const history_ = /** @type {any} */ (window).navigation;
  const before = history_?.entries()[(history_.currentEntry?.index ?? 0) - 1]?.url;
  if (!before || new URL(before).pathname !== back.pathname) return;
  event.preventDefault();
  history.back();
});
