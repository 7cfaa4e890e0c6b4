// Saves the composer's text for each conversation until it is sent.
import { field, form, isEditPage, setText } from "composer/composer";
import { isEditing } from "conversation/edit-message";
import { log } from "conversation/message-log";
import { attemptedKey } from "outbox/idempotency-key";
import { emit, on } from "realtime/events";
import { user } from "shared/current-user";
import { discard, load, names, onOtherTabChange, save } from "shared/user-storage";

/**
 * The text, and the key of a failed attempt to send it.
 *
 * @typedef {{text: string, message_uuid?: string, after?: string}} Draft
 */

const PREFIX = "draft:";
const DELAY = 300; // ms

/** @returns {{group: string, text: string}[]} */
export function drafts() {
  return names(PREFIX).flatMap((name) => {
    const draft = /** @type {Draft | null} */ (load(name));
    return draft ? [{ group: name.slice(PREFIX.length), text: draft.text }] : [];
  });
}

/** @param {string} group @param {Draft} draft */
function saveDraft(group, draft) {
  if (draft.text.trim()) save(PREFIX + group, draft);
  else discard(PREFIX + group);
  emit("drafts:changed", { group });
}

/** @param {HTMLFormElement} form @param {string} text @returns {Draft} */
function draftOf(form, text) {
  return { text, ...attemptedKey(form, text) };
}

/** @param {HTMLFormElement} form @param {Draft} draft */
function restore(form, { text, message_uuid, after }) {
  if (message_uuid) {
    for (const [name, value] of Object.entries({ message_uuid, after: after ?? "" })) {
      const input = form.querySelector(/** @type {"input"} */ (`[name=${name}]`));
      if (input) input.value = value;
    }
    form.dataset.attempted = text;
  }
  setText(text, { focus: false });
}

/** @param {HTMLFormElement} form @param {HTMLTextAreaElement} field @param {string} group */
function saveDrafts(form, field, group) {
  let timer = 0;
  const update = () => {
    clearTimeout(timer);
    timer = 0;
    if (!isEditing()) saveDraft(group, draftOf(form, field.value));
  };
  if ("attempted" in form.dataset) form.dataset.attempted = field.value;
  if (field.value) update();
  else restore(form, load(PREFIX + group) ?? { text: "" });
  field.addEventListener("input", () => {
    if (!field.value) return update();
    timer ||= setTimeout(update, DELAY);
  });
  const flush = () => timer && update();
  addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", flush);
  on("composer:changed", update);
  onOtherTabChange((name) => {
    // Changed or sent in another tab, and this one is not focused.
    if (name !== PREFIX + group || document.hasFocus() || isEditing()) return;
    restore(form, load(name) ?? { text: "" });
  });
}

if (form && field && user && log?.dataset.group && !isEditPage) saveDrafts(form, field, log.dataset.group);
onOtherTabChange((name) => {
  if (name.startsWith(PREFIX)) emit("drafts:changed", { group: name.slice(PREFIX.length) });
});
