// Editing one's own message in the composer: begun by its menu or by ArrowUp in the empty field, ended by Escape.
import { hear } from "realtime/events";
import { log, put } from "conversation/message-log";
import { explain, field, form, isPlain, write } from "composer/composer";
import { post } from "shared/post";
import { canBeSent } from "composer/message-text";
import { piece, sentence } from "shared/templates";

// After these the text can only become a new message.
const TOO_LATE = new Set(["too_late_to_edit", "message_deleted", "not_found", "blocked"]);

/** @typedef {{message: HTMLElement, url: string, before: string, note: HTMLElement}} Editing */

/** @type {Editing | null} */
let editing = null;

export function isEditing() {
  return editing !== null;
}

/** @returns {{message: HTMLElement, before: string} | null} what is being edited, and what was being written before */
export function currentEdit() {
  return editing;
}

/** @param {Element} message */
export function mayBeEdited(message) {
  const template = document.querySelector(/** @type {"template"} */ ("template#editing"));
  const { at } = /** @type {HTMLElement} */ (message).dataset;
  if (!form || isPlain || !message.matches(".message--own[id]:not(.message--deleted)")) return false;
  return Date.now() - Date.parse(at ?? "") < Number(template?.dataset.seconds) * 1000;
}

/** @param {HTMLElement} message */
export function edit(message) {
  const link = message.querySelector(/** @type {"a"} */ ("a.message__more"));
  if (!field || !form || !link) return;
  const before = editing ? editing.before : field.value;
  editing?.note.remove();
  const note = piece("editing");
  note.querySelector("time")?.replaceChildren(message.querySelector("time")?.textContent ?? "");
  note.querySelector("button")?.addEventListener("click", cancel);
  form.setAttribute("data-editing", "");
  editing = { message, url: `${link.pathname}/edit`, before, note };
  form.querySelector(".composer__box")?.before(note);
  write(message.querySelector(".message__text")?.textContent ?? "");
}

function cancel() {
  if (!editing) return;
  const { before } = editing;
  end();
  write(before);
}

function end() {
  editing?.note.remove();
  editing = null;
  form?.removeAttribute("data-editing");
}

/** What was written is a new message now, after what was being written before. */
function giveUp() {
  const texts = [editing?.before, field?.value].filter(Boolean);
  end();
  write(texts.join("\n\n"));
}

export async function saveEdit() {
  if (!editing || !field || !form || !canBeSent(field.value)) return;
  if (form.getAttribute("aria-busy") === "true") return;
  const { message, url } = editing;
  form.setAttribute("aria-busy", "true");
  const answer = await post(url, { message: field.value });
  form.removeAttribute("aria-busy");
  if (editing?.message !== message) return;
  if (answer.status === 200) {
    if (answer.body.html) put([answer.body]);
    cancel();
    return;
  }
  const code = answer.status === 404 ? "not_found" : answer.error;
  if (TOO_LATE.has(code)) giveUp();
  const words = sentence("not-changed", code);
  explain(...(words.length ? words : sentence("not-changed", "")));
  field.focus({ preventScroll: true });
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Escape" && editing) {
    event.preventDefault();
    event.stopPropagation();
    cancel();
  }
  if (event.key !== "ArrowUp" || field?.value || editing || event.shiftKey || event.altKey) return;
  const last = lastOwn();
  if (!last || !mayBeEdited(last)) return;
  event.preventDefault();
  edit(last);
}

function lastOwn() {
  const own = log?.querySelectorAll(/** @type {"li"} */ (".message--own[id]:not(.message--deleted)"));
  return [...(own ?? [])].at(-1);
}

if (field && form && log?.dataset.group) {
  const { group: open } = log.dataset;
  field.addEventListener("keydown", onKey);
  hear("live:amended", ({ group, created_at, deleted }) => {
    if (!deleted || group !== open || editing?.message.id !== `m${created_at}`) return;
    giveUp();
    explain(...sentence("not-changed", "message_deleted"));
  });
}
