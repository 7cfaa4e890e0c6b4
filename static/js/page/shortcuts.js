// Keyboard shortcuts. Single keys do nothing in a text field, with a modifier, or when they are turned off in the
// settings; Alt with an arrow and Escape always work. Each key focuses a field or follows a link of the page.
const singleKeys = document.documentElement.dataset.singleKeys !== "off";
const dialog = /** @type {HTMLDialogElement | null} */ (document.querySelector("dialog#shortcuts"));
const conversationList = document.querySelector(".inbox");

/** @param {string} selector */
function focus(selector) {
  const element = /** @type {HTMLElement | null} */ (document.querySelector(selector));
  element?.focus();
  return element !== null;
}

/** @param {string} selector */
function follow(selector) {
  const link = /** @type {HTMLElement | null} */ (document.querySelector(selector));
  link?.click();
  return link !== null;
}

function showShortcuts() {
  if (dialog?.open) return false;
  dialog?.showModal();
  return dialog !== null;
}

/**
 * Open the conversation after or before the open one in the list; the first when none is open.
 *
 * @param {1 | -1} step
 */
function nextConversation(step) {
  const rows = /** @type {HTMLElement[]} */ ([...(conversationList?.querySelectorAll("a.conversation__name") ?? [])]);
  const shown = rows.filter((row) => row.checkVisibility());
  const at = shown.findIndex((row) => row.getAttribute("aria-current") === "page");
  const next = at < 0 ? shown[0] : shown[at + step];
  next?.click();
  return next !== undefined;
}

/**
 * Leave the text field; outside of one, go back to the list, or to its page where the list is not visible.
 *
 * @param {Element} target
 */
function escape(target) {
  if (isField(target)) {
    if (!focus(".thread__log")) /** @type {HTMLElement} */ (target).blur();
    return true;
  }
  if (!document.querySelector(".thread__log")) return false;
  if (!conversationList?.checkVisibility()) return follow(".thread__back");
  return focus('.inbox [aria-current="page"]') || focus(".inbox__body a");
}

/** @type {Record<string, () => boolean>} */
const KEYS = {
  "/": () => focus('.inbox [role="search"] input, [role="search"] input') || follow('.rail a[href$="/new"]'),
  "?": showShortcuts,
  c: () => focus("#composer-text"),
  n: () => follow('.rail a[href$="/new"]'),
};

/** @param {Element} element */
function isField(element) {
  return element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
}

/** @param {KeyboardEvent} event */
function onKeydown(event) {
  const target = /** @type {Element} */ (event.target);
  if (event.key === "Escape") return escape(target);
  if (isField(target)) return false;
  if (event.altKey && event.key === "ArrowDown") return nextConversation(1);
  if (event.altKey && event.key === "ArrowUp") return nextConversation(-1);
  return singleKeys && !event.altKey && !event.repeat && Object.hasOwn(KEYS, event.key) && KEYS[event.key]();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey) return;
  // An open dialog or menu handles its own keys.
  if (document.querySelector("dialog[open], [role=menu]")?.checkVisibility()) return;
  if (onKeydown(event)) event.preventDefault();
});

// Without script the link leads to a page with the same list.
document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest('a[href="/shortcuts"]');
  if (link && !event.ctrlKey && !event.metaKey && showShortcuts()) event.preventDefault();
});
