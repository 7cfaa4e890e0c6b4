// Makes repeated sends of a message safe: a uuid, and the newest message known when it was generated.
import { log } from "conversation/message-log";

/** @returns {string} */
export function newMessageUuid() {
  // randomUUID exists on secure pages only.
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-a$4-$5");
}

/** @returns {string} created_at of the newest message that this page knows; empty for none */
export function newestKnownMessage() {
  const after = /** @type {HTMLInputElement | null} */ (document.querySelector("#composer [name=after]"))?.value ?? "";
  const shown = [...(log?.querySelectorAll(".message[id]") ?? [])].at(-1)?.id.slice(1) ?? "";
  return [after, shown, log?.dataset.newest ?? ""].reduce((one, other) => (one > other ? one : other));
}

/**
 * Return the key of a form that the server returned with an error, or null if its text was changed since.
 *
 * @param {HTMLFormElement} form with `data-attempted`, the text that was posted
 * @param {string} text
 * @returns {{message_uuid: string, after: string} | null}
 */
export function attemptedKey(form, text) {
  if (!form.dataset.attempted || form.dataset.attempted !== text) return null;
  const values = new FormData(form);
  return { message_uuid: String(values.get("message_uuid")), after: String(values.get("after")) };
}
