// The field that messages are written in: it grows with its text and counts the last characters that fit.
import { say } from "realtime/events";
import { canBeSent, lengthOf, LONGEST, normalise } from "composer/message-text";

const COUNTED = 100;

export const form = /** @type {HTMLFormElement | null} */ (document.querySelector("#composer"));
export const field = /** @type {HTMLTextAreaElement | null} */ (form?.querySelector("textarea") ?? null);
/** Whether it edits a message on a page of its own, and goes as a form does. */
export const isPlain = form?.hasAttribute("data-editing") ?? false;
const left = form?.querySelector("output");
const button = form?.querySelector(/** @type {"button"} */ (".composer__box button:last-of-type"));
const error = document.getElementById("composer-error");
const growsByItself = CSS.supports("field-sizing", "content");

/**
 * @param {string} text
 * @param {{focus?: boolean}} [how]
 */
export function write(text, { focus = true } = {}) {
  if (!field) return;
  field.value = text;
  field.setSelectionRange(text.length, text.length);
  explain();
  measure();
  say("writing:wrote", {});
  if (focus) field.focus({ preventScroll: true });
}

/** @param {Node[]} sentence why what was written did not go; none takes away what stood there */
export function explain(...sentence) {
  if (!error || !field) return;
  error.replaceChildren(...sentence);
  error.hidden = !sentence.length;
  field.toggleAttribute("aria-invalid", sentence.length > 0);
  field.setAttribute("aria-describedby", sentence.length ? "composer-left composer-error" : "composer-left");
}

function measure() {
  if (!field || !left || !button) return;
  const remaining = LONGEST - lengthOf(normalise(field.value));
  left.value = remaining > COUNTED ? "" : String(remaining).replace("-", "−");
  left.toggleAttribute("data-over", remaining < 0);
  button.disabled = remaining < 0;
  if (!growsByItself) {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }
}

if (form && field) {
  field.addEventListener("input", () => {
    explain();
    measure();
  });
  // Also when the page comes back out of the browser's history, as it was left.
  addEventListener("pageshow", measure);
  // Pressing the button leaves the focus in the field, and the keyboard of a phone where it is.
  button?.addEventListener("mousedown", (event) => event.preventDefault());
  const mouse = matchMedia("(pointer: fine)");
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    // While an input method composes, Enter is its own; 229 is what some say of the Enter that ends it.
    if (event.isComposing || event.keyCode === 229 || !mouse.matches) return;
    event.preventDefault();
    if (canBeSent(field.value)) form.requestSubmit();
  });
}
