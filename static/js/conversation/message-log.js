// The message log of the open conversation. Inserts each message that the server rendered once, in order; messages not
// yet acknowledged (`data-state`) stay after all others.
import { insertMessage, regroup } from "conversation/message-grouping";
import { anchorScroll } from "conversation/scroll-anchor";
import { morph, parseMessage } from "shared/morph";

/**
 * A stored message; an own one replaces its unacknowledged copy with the same uuid.
 *
 * @typedef {{html: string, message_uuid?: string | null}} Stored
 */

export const log = /** @type {HTMLElement | null} */ (document.querySelector(".thread__log"));
export const content = /** @type {HTMLElement | null} */ (log?.querySelector(".thread__content") ?? null);

/** @returns {HTMLElement[]} the messages not yet acknowledged, in order */
export function pendingMessages() {
  return [...(content?.querySelectorAll(/** @type {"li"} */ ("li.message[data-state]")) ?? [])];
}

/**
 * Insert messages, or update those already in the log.
 *
 * @param {Stored[]} messages
 * @returns {HTMLElement[]} their elements in the log
 */
export function upsertMessages(messages) {
  if (!log || !content) return [];
  /** @type {HTMLElement[]} */
  const items = [];
  // Own messages were announced when they were written.
  const known = messages.every(({ message_uuid }) => message_uuid && copyOf(message_uuid));
  if (known) log.setAttribute("aria-busy", "true");
  anchorScroll(log, () => {
    for (const { html, message_uuid } of messages) {
      const fresh = parseMessage(html);
      if (fresh) items.push(upsertOne(content, fresh, message_uuid));
    }
    regroup(log);
  });
  if (known) setTimeout(() => log.removeAttribute("aria-busy"));
  emitAdded(items);
  return items;
}

/**
 * Append a message that is not yet acknowledged.
 *
 * @param {HTMLElement} item with `data-at`
 */
export function appendPending(item) {
  if (!log || !content) return;
  anchorScroll(log, () => {
    insertMessage(content, item);
    regroup(log);
  });
  emitAdded([item]);
}

/** Tell other modules that messages were added to the log. @param {HTMLElement[]} messages */
export function emitAdded(messages) {
  if (messages.length) document.dispatchEvent(new CustomEvent("conversation:messages-added", { detail: { messages } }));
}

/** @param {string} messageUuid @returns {HTMLElement | null} */
function copyOf(messageUuid) {
  return content?.querySelector(`.message[data-message-uuid="${CSS.escape(messageUuid)}"]`) ?? null;
}

/**
 * @param {HTMLElement} content
 * @param {HTMLElement} fresh
 * @param {string | null} [messageUuid]
 * @returns {HTMLElement}
 */
function upsertOne(content, fresh, messageUuid) {
  const copy = messageUuid ? copyOf(messageUuid) : null;
  const existing = document.getElementById(fresh.id);
  if (existing && copy && copy !== existing) copy.remove();
  const message = existing ?? copy;
  if (!message) insertMessage(content, fresh);
  else morph(message, fresh);
  if (message && message === copy && !isLast(message)) insertMessage(content, message);
  return message ?? fresh;
}

/**
 * Return whether a message is under its day and followed only by unacknowledged ones.
 *
 * @param {HTMLElement} message
 */
function isLast(message) {
  const section = message.closest(".day");
  return (
    section !== null &&
    message.dataset.at?.slice(0, 10) === section.querySelector("time")?.dateTime &&
    !message.nextElementSibling?.id &&
    !section.nextElementSibling?.matches(".day")
  );
}
