// Shows in the open conversation what is being sent, waits, or could not be sent.
import { hear, say } from "realtime/events";
import { user } from "shared/current-user";
import { append, log, pending } from "conversation/message-log";
import { remove, unsent, update } from "outbox/outbox";
import { newestKnown, newUuid } from "outbox/idempotency-key";
import { isEmoji } from "composer/message-text";
import { announce, piece, sentence } from "shared/templates";

/** @typedef {import("outbox/outbox").Unsent} Unsent */

const clock = new Intl.DateTimeFormat(document.documentElement.lang, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** @param {string} group */
function show(group) {
  const items = unsent(group);
  const shown = new Map(pending().map((message) => [message.dataset.messageUuid, message]));
  for (const item of items) {
    const message = shown.get(item.message_uuid) ?? appended(item);
    shown.delete(item.message_uuid);
    showState(message, item);
  }
  for (const message of shown.values()) message.remove();
  if (shown.size) say("thread:added", { messages: [] });
  showWaiting(items);
}

/** @param {Unsent} item */
function appended({ message_uuid, text, at }) {
  const message = piece("own-message");
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
  append(message);
  return message;
}

/** @param {HTMLElement} message @param {Unsent} item */
function showState(message, item) {
  const state = item.failed ? "failed" : "sending";
  if (message.dataset.state === state && (item.failed ?? "") === (message.dataset.failed ?? "")) return;
  message.dataset.state = state;
  delete message.dataset.failed;
  message.querySelector(".message__status")?.remove();
  if (!item.failed) return;
  message.dataset.failed = item.failed;
  const status = piece("status-failed");
  const reason = sentence("not-sent", item.failed);
  if (reason.length) status.querySelector("[data-reason]")?.replaceChildren(...reason);
  message.append(status);
  announce(status.querySelector("[data-reason]")?.textContent ?? "");
}

/**
 * The last of those on their way says how it stands with all of them.
 *
 * @param {Unsent[]} items
 */
function showWaiting(items) {
  const waiting = pending().filter(({ dataset }) => dataset.state === "sending");
  for (const message of waiting) {
    if (message !== waiting.at(-1)) message.querySelector(".message__status")?.remove();
  }
  const name = navigator.onLine ? "status-sending" : "status-waiting";
  const status = piece(name);
  const count = status.querySelector("[data-count]");
  if (count) count.textContent = String(items.filter(({ failed }) => !failed).length);
  const there = waiting.at(-1)?.querySelector(".message__status");
  if (!there) waiting.at(-1)?.append(status);
  else if (!there.isEqualNode(status)) there.replaceWith(status);
}

/** @param {string} group @param {Event} event */
function act(group, event) {
  const button = /** @type {Element} */ (event.target).closest("[data-action]");
  const message = /** @type {HTMLElement | null} */ (button?.closest(".message[data-state=failed]") ?? null);
  const item = unsent(group).find(({ message_uuid }) => message_uuid === message?.dataset.messageUuid);
  if (!button || !item) return;
  if (button.getAttribute("data-action") === "discard") remove(item);
  else retry(item);
  document.getElementById("composer-text")?.focus({ preventScroll: true });
}

/**
 * What failed for the same reason is tried again with it, so that the order stays.
 *
 * @param {Unsent} item
 */
function retry(item) {
  const anew = item.failed === "message_uuid_reused" ? { message_uuid: newUuid(), after: newestKnown() } : {};
  const alike = anew.message_uuid ? [item] : unsent(item.group).filter(({ failed }) => failed === item.failed);
  for (const each of alike) update(each, { ...anew, failed: undefined });
}

if (log?.dataset.group) {
  const { group: open } = log.dataset;
  const isFirst = !log.dataset.sinceUrl;
  hear("outbox:changed", ({ group }) => {
    if (group === open) show(open);
  });
  hear("outbox:acknowledged", ({ group, url }) => {
    // The conversation that did not exist has its own page now.
    if (group === open && isFirst && url) location.replace(url);
  });
  for (const name of ["online", "offline"]) addEventListener(name, () => show(open));
  log.addEventListener("click", (event) => act(open, event));
  show(open);
}
