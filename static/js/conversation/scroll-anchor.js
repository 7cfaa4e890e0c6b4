// Changes in the log that move nothing in view.

const NEAR = 4; // px, as fractions of pixels and fingers go

/** Whether the log stands at its end, and that end is the newest message. @param {HTMLElement} log */
export function isAtEnd(log) {
  return log.hasAttribute("data-at-end") && isAtBottom(log);
}

/** Whether it stands at the end of what is loaded. @param {HTMLElement} log */
export function isAtBottom(log) {
  // Laid out from its end: 0 there, and less above.
  return log.scrollTop > -NEAR;
}

/**
 * Makes a change in the log. The end stays in view if it was (`follow`, unless false); otherwise every message in view
 * stays where it is, whatever comes or goes above and below. Browsers that anchor scrolling by themselves do no harm.
 * @param {HTMLElement} log `.thread__log`
 * @param {() => void} change
 * @param {{ follow?: boolean }} [how]
 */
export function steadily(log, change, { follow = true } = {}) {
  if (follow && isAtEnd(log)) {
    change();
    log.scrollTop = 0;
    return;
  }
  const held = inView(log);
  const top = held?.getBoundingClientRect().top ?? 0;
  change();
  if (held?.isConnected) log.scrollTop += held.getBoundingClientRect().top - top;
}

/** The first message in view. @param {HTMLElement} log @returns {Element | undefined} */
function inView(log) {
  const { top } = log.getBoundingClientRect();
  return [...log.querySelectorAll(".message")].find((message) => message.getBoundingClientRect().bottom > top);
}
