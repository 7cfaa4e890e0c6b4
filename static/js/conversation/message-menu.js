// What can be done with a message, in a menu instead of on a page.
import { log } from "conversation/message-log";
import { askToDelete } from "conversation/delete-message";
import { edit, mayBeEdited } from "conversation/edit-message";
import { closeMenu, openMenu } from "shared/menu";
import { piece } from "shared/templates";

const TOAST = 6_000; // ms

/** @param {HTMLAnchorElement} opener */
function open(opener) {
  const message = /** @type {HTMLElement} */ (opener.closest(".message"));
  const menu = piece("message-menu");
  const own = message.matches(".message--own");
  menu.querySelector("#menu-time")?.append(message.querySelector("time")?.title ?? "");
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (menu.querySelectorAll("[data-own]"))) each.hidden = !own;
  const editItem = menu.querySelector(/** @type {"button"} */ ("[data-action=edit]"));
  if (editItem) editItem.hidden = !mayBeEdited(message);
  const report = menu.querySelector(/** @type {"a"} */ ("a[data-report]"));
  if (report) {
    report.hidden = own;
    report.href = new URL(opener.href).pathname.replace(/^\/messages\//, "/report/");
  }
  menu.addEventListener("click", (event) => {
    const item = /** @type {Element} */ (event.target).closest("[data-action]");
    if (item) act(item.getAttribute("data-action") ?? "", message);
  });
  openMenu(menu, opener);
}

/** @param {string} action @param {HTMLElement} message */
function act(action, message) {
  closeMenu({ refocus: true });
  if (action === "edit") edit(message);
  if (action === "delete") askToDelete(message);
  if (action === "copy-text") copy(message.querySelector(".message__text")?.textContent ?? "");
  if (action === "copy-link") copy(linkOf(message));
}

/** @param {HTMLElement} message @returns {string} its address in the conversation */
function linkOf(message) {
  const at = message.id.slice(1);
  const thread = new URL(message.querySelector(/** @type {"a"} */ ("a.message__more"))?.href ?? "");
  thread.pathname = thread.pathname.replace(/\/[^/]*$/, "");
  thread.search = String(new URLSearchParams({ around: at }));
  thread.hash = message.id;
  return thread.href;
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return; // refused by the browser
  }
  document.querySelector(".toast")?.remove();
  const toast = piece("copied");
  // Empty first, so that it is heard when the words come.
  const words = [...toast.childNodes];
  toast.replaceChildren();
  document.body.append(toast);
  setTimeout(() => toast.append(...words));
  const leave = () => (toast.matches(":hover") ? setTimeout(leave, TOAST) : toast.remove());
  setTimeout(leave, TOAST);
}

if (log && document.getElementById("message-menu")) {
  log.addEventListener("click", (event) => {
    const opener = /** @type {Element} */ (event.target).closest("a.message__more");
    if (!(opener instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (opener.getAttribute("aria-expanded") === "true") closeMenu({ refocus: true });
    else open(opener);
  });
  log.addEventListener("keydown", (event) => {
    const opener = /** @type {Element} */ (event.target).closest("a.message__more");
    // A link that opens a menu is also pressed by the space bar.
    if (!(opener instanceof HTMLAnchorElement) || event.key !== " ") return;
    event.preventDefault();
    open(opener);
  });
}
