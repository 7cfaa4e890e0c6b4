// Puts the loaded messages anew, as the server has them now, and lets the reader go on reading where they are.
import { place, regroup } from "conversation/message-grouping";
import { steadily } from "conversation/scroll-anchor";
import { become } from "shared/morph";
import { added, content, log } from "conversation/message-log";

/**
 * @param {string} html the messages by day, and the way to earlier ones
 * @param {number} lastSeq the number of the newest message there was
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
  if (!("atEnd" in log.dataset)) leaveOut(fragment, content, loaded.findLast(({ id }) => id)?.id ?? "");
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  log.setAttribute("aria-busy", "true"); // not read out again
  steadily(log, () => {
    const fresh = new Set(messagesIn(fragment).map(stayed));
    // What is being sent, or came since, is none of the server's answer.
    const kept = loaded.filter((each) => !fresh.has(each) && (!each.id || Number(each.dataset.seq) > lastSeq));
    for (const old of content.querySelectorAll(":scope > :not(#newest)")) old.remove();
    content.prepend(fragment);
    for (const message of kept) place(content, message);
    regroup(log);
  });
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  setTimeout(() => log.removeAttribute("aria-busy"));
  added(messagesIn(content));
}

/**
 * A message that is on the page already stays the same element.
 *
 * @param {HTMLElement} fresh
 */
function stayed(fresh) {
  const there = document.getElementById(fresh.id);
  if (!there) return fresh;
  become(there, /** @type {HTMLElement} */ (fresh.cloneNode(true)));
  fresh.replaceWith(there);
  return there;
}

/**
 * The reader has not loaded up to the end: what lies behind is left out, and the way to it stays.
 *
 * @param {DocumentFragment} fragment
 * @param {HTMLElement} content
 * @param {string} newest the id of the last message loaded
 */
function leaveOut(fragment, content, newest) {
  for (const message of messagesIn(fragment)) if (message.id > newest) message.remove();
  for (const day of fragment.querySelectorAll(".day:not(:has(li))")) day.remove();
  fragment.querySelector(".thread__newer")?.remove();
  fragment.append(...content.querySelectorAll(":scope > .thread__newer"));
}

/** @param {ParentNode} parent @returns {HTMLElement[]} */
const messagesIn = (parent) => [...parent.querySelectorAll(/** @type {"li"} */ ("li.message"))];
