// Sending by script: what is written goes into the outbox and stands in the thread at once.
import { user } from "shared/current-user";
import { log } from "conversation/message-log";
import { isEditing, saveEdit } from "conversation/edit-message";
import { field, form, isPlain, write } from "composer/composer";
import { add } from "outbox/outbox";
import { newestKnown, newUuid, triedPair } from "outbox/idempotency-key";
import { canBeSent, normalise } from "composer/message-text";
import "outbox/pending-messages";

/** @param {string} group @param {string} url */
function send(group, url) {
  if (!form || !field || !canBeSent(field.value)) return;
  const text = normalise(field.value);
  const pair = triedPair(form, field.value) ?? { message_uuid: newUuid(), after: newestKnown() };
  add({ group, url, text, ...pair });
  delete form.dataset.tried;
  write("");
  if (!log) return;
  log.scrollTop = 0;
  // An older part of the conversation does not show it: the page of the newest does, and sends it.
  if (!("atEnd" in log.dataset)) location.assign(`${url}?newest`);
}

if (form && field && user && log?.dataset.group && !isPlain) {
  const { group } = log.dataset;
  const url = new URL(form.action).pathname;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isEditing()) saveEdit();
    else send(group, url);
  });
}
