// The text field of the composer: grows with its text and counts the last characters left.
import { isSendable, lengthOf, MAX_LENGTH, normalise } from "composer/message-text";
import { emit } from "realtime/events";

const COUNTED = 100; // characters left from which the counter is shown

export const form = /** @type {HTMLFormElement | null} */ (document.querySelector("#composer"));
export const field = /** @type {HTMLTextAreaElement | null} */ (form?.querySelector("textarea") ?? null);
/** Whether this is the page that edits a message, whose form is submitted without script. */
export const isEditPage = form?.hasAttribute("data-editing") ?? false;
const left = form?.querySelector("output");
const button = form?.querySelector(/** @type {"button"} */ (".composer__box button:last-of-type"));
const error = document.getElementById("composer-error");
const growsInCss = CSS.supports("field-sizing", "content");

/**
 * Replace the text of the field.
 *
 * @param {string} text
 * @param {{focus?: boolean}} [options]
 */
export function setText(text, { focus = true } = {}) {
  if (!field) return;
  field.value = text;
  field.setSelectionRange(text.length, text.length);
  showError();
  resize();
  emit("composer:changed", {});
  if (focus) field.focus({ preventScroll: true });
}

/** Show why the text was not sent; without a sentence, hide the error. @param {Node[]} sentence */
export function showError(...sentence) {
  if (!error || !field) return;
  error.replaceChildren(...sentence);
  error.hidden = !sentence.length;
  field.toggleAttribute("aria-invalid", sentence.length > 0);
  field.setAttribute("aria-describedby", sentence.length ? "composer-left composer-error" : "composer-left");
}

function resize() {
  if (!field || !left || !button) return;
  const remaining = MAX_LENGTH - lengthOf(normalise(field.value));
  left.value = remaining > COUNTED ? "" : String(remaining).replace("-", "−");
  left.toggleAttribute("data-over", remaining < 0);
  button.disabled = remaining < 0;
  if (!growsInCss) {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }
}

if (form && field) {
  field.addEventListener("input", () => {
    showError();
    resize();
  });
  // Also when the page is restored from the back/forward cache.
  addEventListener("pageshow", resize);
  // Clicking the button keeps the focus in the field, and with it a phone's keyboard open.
  button?.addEventListener("mousedown", (event) => event.preventDefault());
  const mouse = matchMedia("(pointer: fine)");
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    // Enter belongs to an input method while it composes; some report keyCode 229 for the Enter that ends it.
    if (event.isComposing || event.keyCode === 229 || !mouse.matches) return;
    event.preventDefault();
    if (isSendable(field.value)) form.requestSubmit();
  });
}
