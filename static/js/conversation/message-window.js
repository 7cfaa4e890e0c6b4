// Replaces the loaded messages with the server's current version and keeps the scroll position.
import { insertMessage, regroup } from "conversation/message-grouping";
import { content, emitAdded, log } from "conversation/message-log";
import { anchorScroll } from "conversation/scroll-anchor";
import { morph } from "shared/morph";

/**
 * @param {string} html the messages by day, with the link to earlier ones
 * @param {number} lastSeq the number of the newest message when the server rendered them
 */
export function replaceWindow(html, lastSeq) {
  if (log && content) replaceIn(log, content, html, lastSeq);
}

/**
 * @param {HTMLElement} log
 * @param {HTMLElement} content
 * @param {string} html
 * @param {number} lastSeq
 */
function replaceIn(log, content, html, lastSeq) {
  const loaded = messagesIn(content);
  const fragment = document.createRange().createContextualFragment(html);
  if (!("atEnd" in log.dataset)) dropLater(fragment, content, loaded.findLast(({ id }) => id)?.id ?? "");
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  log.setAttribute("aria-busy", "true"); // not announced again
  anchorScroll(log, () => {
    const fresh = new Set(messagesIn(fragment).map(reuseElement));
    // Keep unsent messages, and those that came after the server rendered the window.
    const kept = loaded.filter((each) => !fresh.has(each) && (!each.id || Number(each.dataset.seq) > lastSeq));
    for (const old of content.querySelectorAll(":scope > :not(#newest)")) old.remove();
    content.prepend(fragment);
    for (const message of kept) insertMessage(content, message);
    regroup(log);
  });
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  setTimeout(() => log.removeAttribute("aria-busy"));
  emitAdded(messagesIn(content));
}

/**
 * Replace a message by its element on the page, updated, if there is one; return the element used.
 *
 * @param {HTMLElement} fresh
 */
function reuseElement(fresh) {
  const existing = document.getElementById(fresh.id);
  if (!existing) return fresh;
  morph(existing, /** @type {HTMLElement} */ (fresh.cloneNode(true)));
  fresh.replaceWith(existing);
  return existing;
}

/**
 * Drop the messages after the last one loaded, and keep the link to them.
 *
 * @param {DocumentFragment} fragment
 * @param {HTMLElement} content
 * @param {string} newest the id of the last message loaded
 */
function dropLater(fragment, content, newest) {
  for (const message of messagesIn(fragment)) if (message.id > newest) message.remove();
  for (const day of fragment.querySelectorAll(".day:not(:has(li))")) day.remove();
  fragment.querySelector(".thread__newer")?.remove();
  fragment.append(...content.querySelectorAll(":scope > .thread__newer"));
}

/** @param {ParentNode} parent @returns {HTMLElement[]} */
const messagesIn = (parent) => [...parent.querySelectorAll(/** @type {"li"} */ ("li.message"))];
