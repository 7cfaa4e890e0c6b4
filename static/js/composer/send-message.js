// Sends the composer's text: puts it into the outbox, which shows it in the log at once.
import { field, form, isEditPage, setText } from "composer/composer";
import { isSendable, normalise } from "composer/message-text";
import { isEditing, saveEdit } from "conversation/edit-message";
import { log } from "conversation/message-log";
import { attemptedKey, newestKnownMessage, newMessageUuid } from "outbox/idempotency-key";
import { add } from "outbox/outbox";
import "outbox/pending-messages";
import { user } from "shared/current-user";

/** @param {string} group @param {string} url */
function send(group, url) {
  if (!form || !field || !isSendable(field.value)) return;
  const text = normalise(field.value);
  const key = attemptedKey(form, field.value) ?? { message_uuid: newMessageUuid(), after: newestKnownMessage() };
  add({ group, url, text, ...key });
  delete form.dataset.attempted;
  setText("");
  if (!log) return;
  log.scrollTop = 0;
  // A page of older messages cannot show the new one: load the newest page, which also sends it.
  if (!("atEnd" in log.dataset)) location.assign(`${url}?newest`);
}

if (form && field && user && log?.dataset.group && !isEditPage) {
  const { group } = log.dataset;
  const url = new URL(form.action).pathname;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isEditing()) saveEdit();
    else send(group, url);
  });
}
