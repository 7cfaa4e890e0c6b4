// Moves the focus between messages with the arrow keys, so that the log is one tab stop. The links of the current
// message are the next tab stops.
const log = /** @type {HTMLElement | null} */ (document.querySelector(".thread__log"));
const LINKS = ".message a, .message button";

const messages = () => /** @type {HTMLElement[]} */ ([...(log?.querySelectorAll("li.message") ?? [])]);

/** @param {Iterable<Element>} links @param {boolean} tabbable */
function setTabbable(links, tabbable) {
  for (const link of links) {
    if (tabbable) link.removeAttribute("tabindex");
    else link.setAttribute("tabindex", "-1");
  }
}

/** @param {HTMLElement} message */
function moveTo(message) {
  message.tabIndex = -1;
  message.focus({ preventScroll: true });
  message.scrollIntoView({ block: "nearest" });
}

/**
 * Return the message that a key leads to.
 *
 * @param {string} key
 * @param {HTMLElement[]} all
 * @param {number} at the index of the current message, -1 for none
 */
function destination(key, all, at) {
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (key === "ArrowUp") return at < 0 ? all.at(-1) : all[at - 1];
  if (key === "ArrowDown") return all[at + 1];
  return undefined;
}

/** @param {KeyboardEvent} event */
function onKeydown(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (target.matches("input, textarea, [role=menu] *")) return;
  const all = messages();
  const from = /** @type {HTMLElement | null} */ (target.closest("li.message"));
  if (!from && event.key === "ArrowDown") return;
  const next = destination(event.key, all, from ? all.indexOf(from) : -1);
  if (!next) return;
  event.preventDefault();
  moveTo(next);
}

/** @type {HTMLElement | null} */
let current = null;

/** @param {FocusEvent} event */
function onFocus(event) {
  const message = /** @type {HTMLElement} */ (event.target).closest("li.message");
  if (message === current) return;
  if (current) setTabbable(current.querySelectorAll("a, button"), false);
  current = /** @type {HTMLElement | null} */ (message);
  if (current) setTabbable(current.querySelectorAll("a, button"), true);
}

if (log) {
  setTabbable(log.querySelectorAll(LINKS), false);
  new MutationObserver(() => {
    const links = [...log.querySelectorAll(LINKS)];
    setTabbable(links.filter((link) => !link.hasAttribute("tabindex") && !current?.contains(link)), false);
  }).observe(log, { childList: true, subtree: true });
  log.addEventListener("keydown", onKeydown);
  log.addEventListener("focusin", onFocus);
}
