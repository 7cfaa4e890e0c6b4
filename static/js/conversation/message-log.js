// The log of the open conversation, and the way into it for messages that the server has rendered: each in its place,
// once; what is not acknowledged yet (`data-state`) stays behind all others.
import { place, regroup } from "conversation/message-grouping";
import { steadily } from "conversation/scroll-anchor";
import { become, messageIn } from "shared/morph";

/** @typedef {{html: string, message_uuid?: string | null}} Stored one's own replaces its copy of that uuid */

export const log = /** @type {HTMLElement | null} */ (document.querySelector(".thread__log"));
export const content = /** @type {HTMLElement | null} */ (log?.querySelector(".thread__content") ?? null);

/** @returns {HTMLElement[]} what is not acknowledged, in order */
export function pending() {
  return [...(content?.querySelectorAll(/** @type {"li"} */ ("li.message[data-state]")) ?? [])];
}

/**
 * Put messages into the log, or new versions of them in their place.
 *
 * @param {Stored[]} messages
 * @returns {HTMLElement[]} as they stand there
 */
export function put(messages) {
  if (!log || !content) return [];
  /** @type {HTMLElement[]} */
  const items = [];
  // Own words that were read out when they were written need not be again.
  const known = messages.every(({ message_uuid }) => message_uuid && copyOf(message_uuid));
  if (known) log.setAttribute("aria-busy", "true");
  steadily(log, () => {
    for (const { html, message_uuid } of messages) {
      const fresh = messageIn(html);
      if (fresh) items.push(putOne(content, fresh, message_uuid));
    }
    regroup(log);
  });
  if (known) setTimeout(() => log.removeAttribute("aria-busy"));
  added(items);
  return items;
}

/**
 * Put what is not acknowledged behind everything else.
 *
 * @param {HTMLElement} item with `data-at`
 */
export function append(item) {
  if (!log || !content) return;
  steadily(log, () => {
    place(content, item);
    regroup(log);
  });
  added([item]);
}

/** @param {HTMLElement[]} messages */
export function added(messages) {
  if (messages.length) document.dispatchEvent(new CustomEvent("thread:added", { detail: { messages } }));
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
function putOne(content, fresh, messageUuid) {
  const copy = messageUuid ? copyOf(messageUuid) : null;
  const there = document.getElementById(fresh.id);
  if (there && copy && copy !== there) copy.remove();
  const message = there ?? copy;
  if (!message) place(content, fresh);
  else become(message, fresh);
  if (message && message === copy && !isLast(message)) place(content, message);
  return message ?? fresh;
}

/**
 * Whether a message stands under its day, with nothing behind it but what is not stored yet.
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
