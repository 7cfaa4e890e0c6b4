// Changes the message log without moving the messages in view.

const TOLERANCE = 4; // px, for fractional scroll positions

/** Return whether the log is scrolled to its end and that end is the newest message. @param {HTMLElement} log */
export function isAtEnd(log) {
  return log.hasAttribute("data-at-end") && isAtBottom(log);
}

/** Return whether the log is scrolled to the end of the loaded messages. @param {HTMLElement} log */
export function isAtBottom(log) {
  // The log is laid out in reverse: scrollTop is 0 at the bottom and negative above.
  return log.scrollTop > -TOLERANCE;
}

/**
 * Make a change in the log. A log at its end stays at its end, unless `follow` is false; otherwise every message in
 * view keeps its place. Works beside the browser's own scroll anchoring.
 * @param {HTMLElement} log `.thread__log`
 * @param {() => void} change
 * @param {{ follow?: boolean }} [options]
 */
export function anchorScroll(log, change, { follow = true } = {}) {
  if (follow && isAtEnd(log)) {
    change();
    log.scrollTop = 0;
    return;
  }
  const anchor = firstInView(log);
  const top = anchor?.getBoundingClientRect().top ?? 0;
  change();
  if (anchor?.isConnected) log.scrollTop += anchor.getBoundingClientRect().top - top;
}

/** @param {HTMLElement} log @returns {Element | undefined} */
function firstInView(log) {
  const { top } = log.getBoundingClientRect();
  return [...log.querySelectorAll(".message")].find((message) => message.getBoundingClientRect().bottom > top);
}
