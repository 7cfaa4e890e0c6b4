// Asks before somebody signs out who has not sent everything; shared/current-user then forgets what was kept.
import { user } from "shared/current-user";
import { drafts } from "composer/drafts";
import { unsent } from "outbox/outbox";
import { piece } from "shared/templates";

let isSure = false;

/** @param {HTMLFormElement} form */
function ask(form) {
  const dialog = /** @type {HTMLDialogElement} */ (piece("sign-out-question"));
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    isSure = dialog.returnValue === "leave";
    if (isSure) form.requestSubmit();
  });
  dialog.showModal();
}

if (user) {
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (isSure || !form.hasAttribute("data-signs-out") || !(unsent().length || drafts().length)) return;
    event.preventDefault();
    ask(form);
  });
}
