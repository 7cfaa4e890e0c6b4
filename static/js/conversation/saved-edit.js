// Keeps what was being changed of a message, so that a reload or a closed tab does not lose it.
import { hear } from "realtime/events";
import { user } from "shared/current-user";
import { log } from "conversation/message-log";
import { edit, currentEdit, mayBeEdited } from "conversation/edit-message";
import { field, isPlain, write } from "composer/composer";
import { drop, load, save } from "shared/user-storage";

/** @typedef {{id: string, text: string, before: string}} KeptEdit */

/** @param {HTMLTextAreaElement} field @param {string} name */
function keepUp(field, name) {
  const kept = /** @type {KeptEdit | null} */ (load(name));
  if (kept) takeUp(field, kept);
  const now = () => {
    const current = currentEdit();
    if (current) save(name, { id: current.message.id, text: field.value, before: current.before });
    else drop(name);
  };
  now();
  field.addEventListener("input", () => currentEdit() && now());
  hear("writing:wrote", now);
}

/** @param {HTMLTextAreaElement} field @param {KeptEdit} kept */
function takeUp(field, { id, text, before }) {
  const message = document.getElementById(id);
  if (before) write(before, { focus: false });
  if (message && mayBeEdited(message)) {
    edit(message);
    write(text, { focus: false });
  } else if (text.trim()) {
    // It can only become a new message, after what was being written.
    write([field.value, text].filter(Boolean).join("\n\n"), { focus: false });
  }
}

if (field && user && log?.dataset.group && !isPlain) keepUp(field, `edit:${log.dataset.group}`);
