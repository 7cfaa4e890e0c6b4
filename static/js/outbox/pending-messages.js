// Shows the outbox's messages of the open conversation: being sent, waiting for a network, or failed.
import { isEmoji } from "composer/message-text";
import { appendPending, log, pendingMessages } from "conversation/message-log";
import { newestKnownMessage, newMessageUuid } from "outbox/idempotency-key";
import { remove, unsent, update } from "outbox/outbox";
import { emit, on } from "realtime/events";
import { user } from "shared/current-user";
import { announce, cloneSentence, cloneTemplate } from "shared/templates";

/** @typedef {import("outbox/outbox").Unsent} Unsent */

const clock = new Intl.DateTimeFormat(document.documentElement.lang, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** @param {string} group */
function render(group) {
  const items = unsent(group);
  const shown = new Map(pendingMessages().map((message) => [message.dataset.messageUuid, message]));
  for (const item of items) {
    const message = shown.get(item.message_uuid) ?? append(item);
    shown.delete(item.message_uuid);
    renderState(message, item);
  }
  for (const message of shown.values()) message.remove();
  if (shown.size) emit("conversation:messages-added", { messages: [] });
  renderWaiting(items);
}

/** @param {Unsent} item */
function append({ message_uuid, text, at }) {
  const message = cloneTemplate("own-message");
  const [body, time] = [message.querySelector(".message__text"), message.querySelector("time")];
  if (body) body.textContent = text;
  if (time) {
    time.dateTime = new Date(at).toISOString();
    time.textContent = clock.format(at);
  }
  message.removeAttribute("id");
  message.removeAttribute("data-seq");
  message.classList.toggle("message--emoji", isEmoji(text));
  Object.assign(message.dataset, { at: new Date(at).toISOString(), user, messageUuid: message_uuid, state: "sending" });
  appendPending(message);
  return message;
}

/** @param {HTMLElement} message @param {Unsent} item */
function renderState(message, item) {
  const state = item.failed ? "failed" : "sending";
  if (message.dataset.state === state && (item.failed ?? "") === (message.dataset.failed ?? "")) return;
  message.dataset.state = state;
  delete message.dataset.failed;
  message.querySelector(".message__status")?.remove();
  if (!item.failed) return;
  message.dataset.failed = item.failed;
  const status = cloneTemplate("status-failed");
  const reason = cloneSentence("not-sent", item.failed);
  if (reason.length) status.querySelector("[data-reason]")?.replaceChildren(...reason);
  message.append(status);
  announce(status.querySelector("[data-reason]")?.textContent ?? "");
}

/**
 * Show the status of all messages being sent under the last of them.
 *
 * @param {Unsent[]} items
 */
function renderWaiting(items) {
  const waiting = pendingMessages().filter(({ dataset }) => dataset.state === "sending");
  for (const message of waiting) {
    if (message !== waiting.at(-1)) message.querySelector(".message__status")?.remove();
  }
  const name = navigator.onLine ? "status-sending" : "status-waiting";
  const status = cloneTemplate(name);
  const count = status.querySelector("[data-count]");
  if (count) count.textContent = String(items.filter(({ failed }) => !failed).length);
  const old = waiting.at(-1)?.querySelector(".message__status");
  if (!old) waiting.at(-1)?.append(status);
  else if (!old.isEqualNode(status)) old.replaceWith(status);
}

/** @param {string} group @param {Event} event */
function onClick(group, event) {
  const button = /** @type {Element} */ (event.target).closest("[data-action]");
  const message = /** @type {HTMLElement | null} */ (button?.closest(".message[data-state=failed]") ?? null);
  const item = unsent(group).find(({ message_uuid }) => message_uuid === message?.dataset.messageUuid);
  if (!button || !item) return;
  if (button.getAttribute("data-action") === "discard") remove(item);
  else retry(item);
  document.getElementById("composer-text")?.focus({ preventScroll: true });
}

/**
 * Retry a message, and with it all that failed for the same reason, so that their order is kept.
 *
 * @param {Unsent} item
 */
function retry(item) {
  const needsNewKey = item.failed === "message_uuid_reused";
  const newKey = needsNewKey ? { message_uuid: newMessageUuid(), after: newestKnownMessage() } : {};
  const items = needsNewKey ? [item] : unsent(item.group).filter(({ failed }) => failed === item.failed);
  for (const each of items) update(each, { ...newKey, failed: undefined });
}

if (log?.dataset.group) {
  const { group: open } = log.dataset;
  const isNewConversation = !log.dataset.syncUrl;
  on("outbox:changed", ({ group }) => {
    if (group === open) render(open);
  });
  on("outbox:acknowledged", ({ group, url }) => {
    // The first message created the conversation, which now has a page of its own.
    if (group === open && isNewConversation && url) location.replace(url);
  });
  for (const name of ["online", "offline"]) addEventListener(name, () => render(open));
  log.addEventListener("click", (event) => onClick(open, event));
  render(open);
}
