// Reads and renders one row of the list of conversations.
const template = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template#conversation-row-parts"));

/** @typedef {{lastSeq: number, readSeq: number, sentSeq: number, version: number}} Counters */

/** @param {HTMLElement} row @returns {Counters} */
export function countersOf({ dataset }) {
  const { lastSeq = 0, readSeq = 0, sentSeq = 0, version = 0 } = dataset;
  return { lastSeq: Number(lastSeq), readSeq: Number(readSeq), sentSeq: Number(sentSeq), version: Number(version) };
}

/** Return whether this conversation is open. @param {HTMLElement} row */
export const isOpen = (row) => row.querySelector("[aria-current]") !== null;

/** Return whether the conversation is muted now. @param {HTMLElement} row */
export const isMuted = ({ dataset }) => Number(dataset.muted ?? 0) * 1000 > Date.now();

/**
 * Return the number of unread messages; 0 for the open conversation while its page is visible and focused.
 *
 * @param {HTMLElement} row
 */
export function unreadCount(row) {
  if (isOpen(row) && document.visibilityState === "visible" && document.hasFocus()) return 0;
  const { lastSeq, readSeq, sentSeq } = countersOf(row);
  return Math.max(0, lastSeq - Math.max(readSeq, sentSeq));
}

/**
 * Set each counter that is higher than before; return whether one was.
 *
 * @param {HTMLElement} row
 * @param {Partial<Counters>} counters
 */
export function raiseCounters(row, counters) {
  let raised = false;
  for (const [name, value] of Object.entries(counters)) {
    if (value <= Number(row.dataset[name] ?? 0)) continue;
    row.dataset[name] = String(value);
    raised = true;
  }
  return raised;
}

/**
 * Render the number of unread messages.
 *
 * @param {HTMLElement} row
 */
export function renderUnread(row) {
  const unread = unreadCount(row);
  const link = /** @type {HTMLAnchorElement} */ (row.querySelector(".conversation__name"));
  row.classList.toggle("conversation--unread", unread > 0);
  link.href = link.pathname + (unread ? "#new" : "");
  link.querySelector(".visually-hidden")?.remove();
  row.querySelector(".conversation__marks")?.remove();
  const muted = isMuted(row);
  if (!(unread || muted) || !template) return;
  const [label, marks] = cloneParts("[data-unread-label]", muted ? "[data-muted-marks]" : "[data-unread-marks]");
  if (unread) link.append(...label.childNodes);
  else marks.querySelector("[data-count]")?.remove();
  row.append(...marks.childNodes);
  for (const count of row.querySelectorAll("[data-count]")) count.textContent = String(unread);
}

/**
 * Render another last message.
 *
 * @param {HTMLElement} row
 * @param {{preview: string, own: boolean, html: string}} message
 */
export function renderPreview(row, { preview, own, html }) {
  const message = document.createRange().createContextualFragment(html);
  const text = document.createElement(preview ? "bdi" : "span");
  text.className = "truncate";
  // A deleted message has no preview but says that it was deleted.
  text.textContent = preview || (message.querySelector(".message__bubble > p")?.textContent ?? "");
  const line = /** @type {HTMLElement} */ (row.querySelector(".conversation__preview"));
  line.replaceChildren(...(own && preview ? [...cloneParts("[data-own]")[0].childNodes, " "] : []), text);
  const [shown, sent] = [row.querySelector("time"), message.querySelector("time")];
  if (!shown || !sent) return;
  shown.dateTime = sent.dateTime;
  shown.title = sent.title;
  shown.textContent = sent.textContent;
}

/**
 * Show or hide "typing…".
 *
 * @param {HTMLElement} row
 * @param {boolean} typing
 */
export function renderTyping(row, typing) {
  const line = row.querySelector(".conversation__preview");
  const there = line?.querySelector(".conversation__typing");
  if (!typing) there?.remove();
  else if (!there) line?.prepend(...cloneParts("[data-typing]")[0].childNodes);
}

/** @param {string[]} selectors */
function cloneParts(...selectors) {
  return selectors.map(
    (selector) => /** @type {Element} */ (template?.content.querySelector(selector)?.cloneNode(true)),
  );
}
