// Opens the menu of a message on the page instead of as a page.
import { confirmDelete } from "conversation/delete-message";
import { isEditable, startEditing } from "conversation/edit-message";
import { log } from "conversation/message-log";
import { closeMenu, openMenu } from "shared/menu";
import { cloneTemplate } from "shared/templates";

const TOAST = 6_000; // ms

/** @param {HTMLAnchorElement} opener */
function open(opener) {
  const message = /** @type {HTMLElement} */ (opener.closest(".message"));
  const menu = cloneTemplate("message-menu");
  const own = message.matches(".message--own");
  menu.querySelector("#menu-time")?.append(message.querySelector("time")?.title ?? "");
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (menu.querySelectorAll("[data-own]"))) each.hidden = !own;
  const editItem = menu.querySelector(/** @type {"button"} */ ("[data-action=edit]"));
  if (editItem) editItem.hidden = !isEditable(message);
  const report = menu.querySelector(/** @type {"a"} */ ("a[data-report]"));
  if (report) {
    report.hidden = own;
    report.href = new URL(opener.href).pathname.replace(/^\/messages\//, "/report/");
  }
  menu.addEventListener("click", (event) => {
    const item = /** @type {Element} */ (event.target).closest("[data-action]");
    if (item) run(item.getAttribute("data-action") ?? "", message);
  });
  openMenu(menu, opener);
}

/** @param {string} action @param {HTMLElement} message */
function run(action, message) {
  closeMenu({ refocus: true });
  if (action === "edit") startEditing(message);
  if (action === "delete") confirmDelete(message);
  if (action === "copy-text") copy(message.querySelector(".message__text")?.textContent ?? "");
  if (action === "copy-link") copy(linkOf(message));
}

/** @param {HTMLElement} message @returns {string} its URL */
function linkOf(message) {
  const at = message.id.slice(1);
  const url = new URL(message.querySelector(/** @type {"a"} */ ("a.message__more"))?.href ?? "");
  url.pathname = url.pathname.replace(/\/[^/]*$/, "");
  url.search = String(new URLSearchParams({ around: at }));
  url.hash = message.id;
  return url.href;
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return; // not permitted by the browser
  }
  document.querySelector(".toast")?.remove();
  const toast = cloneTemplate("copied-toast");
  // Emptied first: a status is announced when its content changes.
  const nodes = [...toast.childNodes];
  toast.replaceChildren();
  document.body.append(toast);
  setTimeout(() => toast.append(...nodes));
  const hide = () => (toast.matches(":hover") ? setTimeout(hide, TOAST) : toast.remove());
  setTimeout(hide, TOAST);
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
    // The link acts as a button, which the space bar presses.
    if (!(opener instanceof HTMLAnchorElement) || event.key !== " ") return;
    event.preventDefault();
    open(opener);
  });
}
