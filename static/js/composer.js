// The form of a message: counts down its last 100 characters, sends on Enter, and sends once.
const MAX = 1024;
const COUNTED = 100;
const PATIENCE = 5000; // ms: then the button may be pressed again, which sends the same message, stored once

const form = document.querySelector("#composer");
const field = form?.querySelector("textarea");
const left = form?.querySelector("output");
const button = form?.querySelector("button");
const mouse = matchMedia("(pointer: fine)");

function count() {
  // As the server counts: line ends as one character, NFC, code points.
  const remaining = MAX - [...field.value.normalize("NFC")].length;
  left.value = remaining > COUNTED ? "" : String(remaining).replace("-", "−");
  left.toggleAttribute("data-over", remaining < 0);
  button.disabled = remaining < 0;
}

function submitOnEnter(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !mouse.matches) return;
  event.preventDefault();
  if (!button.disabled && field.value.trim()) form.requestSubmit();
}

if (form) {
  let sending = false;
  const ready = () => {
    sending = false;
    form.removeAttribute("aria-busy");
  };
  form.addEventListener("submit", (event) => {
    if (sending) event.preventDefault();
    sending = true;
    form.setAttribute("aria-busy", "true");
    setTimeout(ready, PATIENCE);
  });
  // Also when the page comes back out of the browser's history, as it was left.
  addEventListener("pageshow", () => {
    ready();
    count();
  });
  field.addEventListener("input", () => {
    field.removeAttribute("aria-invalid");
    count();
  });
  field.addEventListener("keydown", submitOnEnter);
}
