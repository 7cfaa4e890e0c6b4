// One conversation in the list: what its line says, and the numbers that it follows from.
const words = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template#conversation-words"));

/** @typedef {{lastSeq: number, readSeq: number, sentSeq: number, version: number}} Numbers */

/** @param {HTMLElement} row @returns {Numbers} */
export function numbersOf({ dataset }) {
  const { lastSeq = 0, readSeq = 0, sentSeq = 0, version = 0 } = dataset;
  return { lastSeq: Number(lastSeq), readSeq: Number(readSeq), sentSeq: Number(sentSeq), version: Number(version) };
}

/** @param {HTMLElement} row */
export const isCurrent = (row) => row.querySelector("[aria-current]") !== null;

/** Whether no notification and no count is wanted of it, for now. @param {HTMLElement} row */
export const isMuted = ({ dataset }) => Number(dataset.muted ?? 0) * 1000 > Date.now();

/**
 * How many messages are unread; in the open conversation those are being read while somebody looks at its page.
 *
 * @param {HTMLElement} row
 */
export function unreadOf(row) {
  if (isCurrent(row) && document.visibilityState === "visible" && document.hasFocus()) return 0;
  const { lastSeq, readSeq, sentSeq } = numbersOf(row);
  return Math.max(0, lastSeq - Math.max(readSeq, sentSeq));
}

/**
 * Set numbers that only go up; returns whether one did.
 *
 * @param {HTMLElement} row
 * @param {Partial<Numbers>} numbers
 */
export function raise(row, numbers) {
  let raised = false;
  for (const [name, value] of Object.entries(numbers)) {
    if (value <= Number(row.dataset[name] ?? 0)) continue;
    row.dataset[name] = String(value);
    raised = true;
  }
  return raised;
}

/**
 * Let the line say how much is unread.
 *
 * @param {HTMLElement} row
 */
export function showUnreadOf(row) {
  const unread = unreadOf(row);
  const link = /** @type {HTMLAnchorElement} */ (row.querySelector(".conversation__name"));
  row.classList.toggle("conversation--unread", unread > 0);
  link.href = link.pathname + (unread ? "#new" : "");
  link.querySelector(".visually-hidden")?.remove();
  row.querySelector(".conversation__marks")?.remove();
  const muted = isMuted(row);
  if (!(unread || muted) || !words) return;
  const [hidden, marks] = copies("[data-unread-words]", muted ? "[data-muted-marks]" : "[data-unread-marks]");
  if (unread) link.append(...hidden.childNodes);
  else marks.querySelector("[data-count]")?.remove();
  row.append(...marks.childNodes);
  for (const count of row.querySelectorAll("[data-count]")) count.textContent = String(unread);
}

/**
 * Let the line show another last message.
 *
 * @param {HTMLElement} row
 * @param {{preview: string, own: boolean, html: string}} message
 */
export function showMessage(row, { preview, own, html }) {
  const message = document.createRange().createContextualFragment(html);
  const text = document.createElement(preview ? "bdi" : "span");
  text.className = "truncate";
  // Without a text the message was deleted, and says so.
  text.textContent = preview || (message.querySelector(".message__bubble > p")?.textContent ?? "");
  const line = /** @type {HTMLElement} */ (row.querySelector(".conversation__preview"));
  line.replaceChildren(...(own && preview ? [...copies("[data-own]")[0].childNodes, " "] : []), text);
  const [shown, sent] = [row.querySelector("time"), message.querySelector("time")];
  if (!shown || !sent) return;
  shown.dateTime = sent.dateTime;
  shown.title = sent.title;
  shown.textContent = sent.textContent;
}

/**
 * Let the line say that somebody writes, until it shows another message or is told that nobody does.
 *
 * @param {HTMLElement} row
 * @param {boolean} typing
 */
export function showTyping(row, typing) {
  const line = row.querySelector(".conversation__preview");
  const there = line?.querySelector(".conversation__typing");
  if (!typing) there?.remove();
  else if (!there) line?.prepend(...copies("[data-typing]")[0].childNodes);
}

/** @param {string[]} selectors */
function copies(...selectors) {
  return selectors.map(
    (selector) => /** @type {Element} */ (words?.content.querySelector(selector)?.cloneNode(true)),
  );
}
