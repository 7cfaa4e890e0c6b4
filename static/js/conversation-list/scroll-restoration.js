// Restores the list's scroll position after a navigation, and lets "Back" go back in the history.
import { list, loadMore } from "conversation-list/infinite-scroll";
import { userKey } from "shared/current-user";

const MAX_PAGES = 10; // loaded to reach the position
const STORAGE_KEY = userKey("list");

/** @param {HTMLElement} list */
const rowsIn = (list) => list.querySelectorAll("li.conversation[data-group]").length;

/** @param {HTMLElement} list */
async function restoreScroll(list) {
  const { top = 0, rows = 0 } = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "{}");
  sessionStorage.removeItem(STORAGE_KEY);
  list.scrollTop = top;
  for (let page = 0; page < MAX_PAGES && rowsIn(list) < rows && list.scrollTop < top - 1; page += 1) {
    await loadMore();
    list.scrollTop = top;
  }
}

// On a small screen the page of a conversation contains the list but hides it.
const isVisible = () => list !== null && list.clientHeight > 0;

if (list) {
  const body = list;
  if (isVisible()) restoreScroll(body).catch(() => {});
  addEventListener("pagehide", () => {
    if (isVisible()) sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ top: body.scrollTop, rows: rowsIn(body) }));
  });
  // The rail's link opens the list at its top.
  document.querySelector(".rail")?.addEventListener("click", () => {
    addEventListener("pagehide", () => sessionStorage.removeItem(STORAGE_KEY), { once: true });
  });
}

// "Back" to the list goes back in the history if the list is the previous entry, so that the history does not grow.
const back = /** @type {HTMLAnchorElement | null} */ (document.querySelector(".thread__back"));
back?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  /** @type {{ entries(): { url: string | null }[], currentEntry: { index: number } | null } | undefined} */
  const navigation = /** @type {any} */ (window).navigation;
  const before = navigation?.entries()[(navigation.currentEntry?.index ?? 0) - 1]?.url;
  if (!before || new URL(before).pathname !== back.pathname) return;
  event.preventDefault();
  history.back();
});
