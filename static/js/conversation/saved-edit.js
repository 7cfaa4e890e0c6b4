// Saves the edit in progress, so that a reload or a closed tab does not lose it.
import { field, isEditPage, setText } from "composer/composer";
import { editInProgress, isEditable, startEditing } from "conversation/edit-message";
import { log } from "conversation/message-log";
import { on } from "realtime/events";
import { user } from "shared/current-user";
import { discard, load, save } from "shared/user-storage";

/** @typedef {{id: string, text: string, before: string}} SavedEdit */

/** @param {HTMLTextAreaElement} field @param {string} name */
function saveEdits(field, name) {
  const saved = /** @type {SavedEdit | null} */ (load(name));
  if (saved) restore(field, saved);
  const update = () => {
    const current = editInProgress();
    if (current) save(name, { id: current.message.id, text: field.value, before: current.before });
    else discard(name);
  };
  update();
  field.addEventListener("input", () => editInProgress() && update());
  on("composer:changed", update);
}

/** @param {HTMLTextAreaElement} field @param {SavedEdit} saved */
function restore(field, { id, text, before }) {
  const message = document.getElementById(id);
  if (before) setText(before, { focus: false });
  if (message && isEditable(message)) {
    startEditing(message);
    setText(text, { focus: false });
  } else if (text.trim()) {
    // The text can only be sent as a new message, after the composer's text.
    setText([field.value, text].filter(Boolean).join("\n\n"), { focus: false });
  }
}

if (field && user && log?.dataset.group && !isEditPage) saveEdits(field, `edit:${log.dataset.group}`);
