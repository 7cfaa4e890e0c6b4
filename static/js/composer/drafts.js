// Keeps what is being written, for each conversation, until it is sent.
import { hear, say } from "realtime/events";
import { user } from "shared/current-user";
import { log } from "conversation/message-log";
import { isEditing } from "conversation/edit-message";
import { field, form, isPlain, write } from "composer/composer";
import { triedPair } from "outbox/idempotency-key";
import { drop, load, names, onChangeElsewhere, save } from "shared/user-storage";

/** @typedef {{text: string, message_uuid?: string, after?: string}} Draft with a uuid: it was tried as this message */

const PREFIX = "draft:";
const SOON = 300; // ms

/** @returns {{group: string, text: string}[]} */
export function drafts() {
  return names(PREFIX).flatMap((name) => {
    const draft = /** @type {Draft | null} */ (load(name));
    return draft ? [{ group: name.slice(PREFIX.length), text: draft.text }] : [];
  });
}

/** @param {string} group @param {Draft} draft */
function keep(group, draft) {
  if (draft.text.trim()) save(PREFIX + group, draft);
  else drop(PREFIX + group);
  say("drafts:changed", { group });
}

/** @param {HTMLFormElement} form @param {string} text @returns {Draft} */
function draftOf(form, text) {
  return { text, ...triedPair(form, text) };
}

/** @param {HTMLFormElement} form @param {Draft} draft */
function restore(form, { text, message_uuid, after }) {
  if (message_uuid) {
    for (const [name, value] of Object.entries({ message_uuid, after: after ?? "" })) {
      const input = form.querySelector(/** @type {"input"} */ (`[name=${name}]`));
      if (input) input.value = value;
    }
    form.dataset.tried = text;
  }
  write(text, { focus: false });
}

/** @param {HTMLFormElement} form @param {HTMLTextAreaElement} field @param {string} group */
function keepUp(form, field, group) {
  let timer = 0;
  const now = () => {
    clearTimeout(timer);
    timer = 0;
    if (!isEditing()) keep(group, draftOf(form, field.value));
  };
  if ("tried" in form.dataset) form.dataset.tried = field.value;
  if (field.value) now();
  else restore(form, load(PREFIX + group) ?? { text: "" });
  field.addEventListener("input", () => {
    if (!field.value) return now();
    timer ||= setTimeout(now, SOON);
  });
  const flush = () => timer && now();
  addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", flush);
  hear("writing:wrote", now);
  onChangeElsewhere((name) => {
    // Written or sent in another tab, while nobody writes in this one.
    if (name !== PREFIX + group || document.hasFocus() || isEditing()) return;
    restore(form, load(name) ?? { text: "" });
  });
}

if (form && field && user && log?.dataset.group && !isPlain) keepUp(form, field, log.dataset.group);
onChangeElsewhere((name) => {
  if (name.startsWith(PREFIX)) say("drafts:changed", { group: name.slice(PREFIX.length) });
});
