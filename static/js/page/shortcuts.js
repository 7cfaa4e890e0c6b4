// The keyboard shortcuts. A single key does nothing while one types, with a modifier, or where they are turned off;
// Alt with an arrow and Escape always work. What a key does is what a link or a field of the page does.
const singleKeys = document.documentElement.dataset.singleKeys !== "off";
const dialog = /** @type {HTMLDialogElement | null} */ (document.querySelector("dialog#shortcuts"));
const list = document.querySelector(".inbox");

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

function showList() {
  if (dialog?.open) return false;
  dialog?.showModal();
  return dialog !== null;
}

/**
 * To the conversation after or before the one that is open, as the list has them; to the first where none is.
 *
 * @param {1 | -1} step
 */
function nextConversation(step) {
  const rows = /** @type {HTMLElement[]} */ ([...(list?.querySelectorAll("a.conversation__name") ?? [])]);
  const shown = rows.filter((row) => row.checkVisibility());
  const at = shown.findIndex((row) => row.getAttribute("aria-current") === "page");
  const next = at < 0 ? shown[0] : shown[at + step];
  next?.click();
  return next !== undefined;
}

/**
 * Out of the field, else to the list: to the open conversation in it where it is in view, or to its page.
 *
 * @param {Element} target
 */
function escape(target) {
  if (isField(target)) {
    if (!focus(".thread__log")) /** @type {HTMLElement} */ (target).blur();
    return true;
  }
  if (!document.querySelector(".thread__log")) return false;
  if (!list?.checkVisibility()) return follow(".thread__back");
  return focus('.inbox [aria-current="page"]') || focus(".inbox__body a");
}

/** @type {Record<string, () => boolean>} */
const KEYS = {
  "/": () => focus('.inbox [role="search"] input, [role="search"] input') || follow('.rail a[href$="/new"]'),
  "?": showList,
  c: () => focus("#composer-text"),
  n: () => follow('.rail a[href$="/new"]'),
};

/** @param {Element} element */
function isField(element) {
  return element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
}

/** @param {KeyboardEvent} event */
function act(event) {
  const target = /** @type {Element} */ (event.target);
  if (event.key === "Escape") return escape(target);
  if (isField(target)) return false;
  if (event.altKey && event.key === "ArrowDown") return nextConversation(1);
  if (event.altKey && event.key === "ArrowUp") return nextConversation(-1);
  return singleKeys && !event.altKey && !event.repeat && Object.hasOwn(KEYS, event.key) && KEYS[event.key]();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey) return;
  // A dialog or a menu that is open has the keys to itself.
  if (document.querySelector("dialog[open], [role=menu]")?.checkVisibility()) return;
  if (act(event)) event.preventDefault();
});

// Without script the link leads to the same list as a page.
document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest('a[href="/shortcuts"]');
  if (link && !event.ctrlKey && !event.metaKey && showList()) event.preventDefault();
});
