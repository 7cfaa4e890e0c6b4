// Arrow keys walk the messages, so that the log is one stop for Tab; the links of the message one has come to are the
// next stops.
const log = /** @type {HTMLElement | null} */ (document.querySelector(".thread__log"));
const LINKS = ".message a, .message button";

const messages = () => /** @type {HTMLElement[]} */ ([...(log?.querySelectorAll("li.message") ?? [])]);

/** @param {Iterable<Element>} links @param {boolean} reachable */
function setReachable(links, reachable) {
  for (const link of links) {
    if (reachable) link.removeAttribute("tabindex");
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
 * Where a key leads from a message, or from the log itself.
 *
 * @param {string} key
 * @param {HTMLElement[]} all
 * @param {number} at the index of the message one is at, -1 for none
 */
function destination(key, all, at) {
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (key === "ArrowUp") return at < 0 ? all.at(-1) : all[at - 1];
  if (key === "ArrowDown") return all[at + 1];
  return undefined;
}

/** @param {KeyboardEvent} event */
function walk(event) {
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
function follow(event) {
  const message = /** @type {HTMLElement} */ (event.target).closest("li.message");
  if (message === current) return;
  if (current) setReachable(current.querySelectorAll("a, button"), false);
  current = /** @type {HTMLElement | null} */ (message);
  if (current) setReachable(current.querySelectorAll("a, button"), true);
}

if (log) {
  setReachable(log.querySelectorAll(LINKS), false);
  new MutationObserver(() => {
    const links = [...log.querySelectorAll(LINKS)];
    setReachable(links.filter((link) => !link.hasAttribute("tabindex") && !current?.contains(link)), false);
  }).observe(log, { childList: true, subtree: true });
  log.addEventListener("keydown", walk);
  log.addEventListener("focusin", follow);
}
