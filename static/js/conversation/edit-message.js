// Edits an own message in the composer. Started from its menu or by ArrowUp in the empty field, cancelled by Escape.
import { field, form, isEditPage, setText, showError } from "composer/composer";
import { isSendable } from "composer/message-text";
import { log, upsertMessages } from "conversation/message-log";
import { on } from "realtime/events";
import { post } from "shared/post";
import { cloneSentence, cloneTemplate } from "shared/templates";

// After these errors the text can only be sent as a new message.
const FINAL_ERRORS = new Set(["too_late_to_edit", "message_deleted", "not_found", "blocked"]);

/** @typedef {{message: HTMLElement, url: string, before: string, note: HTMLElement}} Editing */

/** @type {Editing | null} */
let editing = null;

export function isEditing() {
  return editing !== null;
}

/** @returns {{message: HTMLElement, before: string} | null} the message being edited, and the composer's text before */
export function editInProgress() {
  return editing;
}

/** @param {Element} message */
export function isEditable(message) {
  const template = document.querySelector(/** @type {"template"} */ ("template#edit-message"));
  const { at } = /** @type {HTMLElement} */ (message).dataset;
  if (!form || isEditPage || !message.matches(".message--own[id]:not(.message--deleted)")) return false;
  return Date.now() - Date.parse(at ?? "") < Number(template?.dataset.seconds) * 1000;
}

/** @param {HTMLElement} message */
export function startEditing(message) {
  const link = message.querySelector(/** @type {"a"} */ ("a.message__more"));
  if (!field || !form || !link) return;
  const before = editing ? editing.before : field.value;
  editing?.note.remove();
  const note = cloneTemplate("edit-message");
  note.querySelector("time")?.replaceChildren(message.querySelector("time")?.textContent ?? "");
  note.querySelector("button")?.addEventListener("click", cancelEditing);
  form.setAttribute("data-editing", "");
  editing = { message, url: `${link.pathname}/edit`, before, note };
  form.querySelector(".composer__box")?.before(note);
  setText(message.querySelector(".message__text")?.textContent ?? "");
}

function cancelEditing() {
  if (!editing) return;
  const { before } = editing;
  stopEditing();
  setText(before);
}

function stopEditing() {
  editing?.note.remove();
  editing = null;
  form?.removeAttribute("data-editing");
}

/** Stop editing and turn the text into a new message, after the composer's text before. */
function convertToNewMessage() {
  const texts = [editing?.before, field?.value].filter(Boolean);
  stopEditing();
  setText(texts.join("\n\n"));
}

export async function saveEdit() {
  if (!editing || !field || !form || !isSendable(field.value)) return;
  if (form.getAttribute("aria-busy") === "true") return;
  const { message, url } = editing;
  form.setAttribute("aria-busy", "true");
  const result = await post(url, { message: field.value });
  form.removeAttribute("aria-busy");
  if (editing?.message !== message) return;
  if (result.status === 200) {
    if (result.body.html) upsertMessages([result.body]);
    cancelEditing();
    return;
  }
  const code = result.status === 404 ? "not_found" : result.error;
  if (FINAL_ERRORS.has(code)) convertToNewMessage();
  const sentence = cloneSentence("not-changed", code);
  showError(...(sentence.length ? sentence : cloneSentence("not-changed", "")));
  field.focus({ preventScroll: true });
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Escape" && editing) {
    event.preventDefault();
    event.stopPropagation();
    cancelEditing();
  }
  if (event.key !== "ArrowUp" || field?.value || editing || event.shiftKey || event.altKey) return;
  const last = lastOwnMessage();
  if (!last || !isEditable(last)) return;
  event.preventDefault();
  startEditing(last);
}

function lastOwnMessage() {
  const own = log?.querySelectorAll(/** @type {"li"} */ (".message--own[id]:not(.message--deleted)"));
  return [...(own ?? [])].at(-1);
}

if (field && form && log?.dataset.group) {
  const { group: open } = log.dataset;
  field.addEventListener("keydown", onKey);
  on("live:amended", ({ group, created_at, deleted }) => {
    if (!deleted || group !== open || editing?.message.id !== `m${created_at}`) return;
    convertToNewMessage();
    showError(...cloneSentence("not-changed", "message_deleted"));
  });
}
