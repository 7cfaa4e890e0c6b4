// Asks before a user signs out with drafts or unsent messages, which signing out removes (shared/current-user).
import { drafts } from "composer/drafts";
import { unsent } from "outbox/outbox";
import { user } from "shared/current-user";
import { cloneTemplate } from "shared/templates";

let isConfirmed = false;

/** @param {HTMLFormElement} form */
function confirmSignOut(form) {
  const dialog = /** @type {HTMLDialogElement} */ (cloneTemplate("sign-out-guard"));
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    isConfirmed = dialog.returnValue === "leave";
    if (isConfirmed) form.requestSubmit();
  });
  dialog.showModal();
}

if (user) {
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (isConfirmed || !form.hasAttribute("data-sign-out") || !(unsent().length || drafts().length)) return;
    event.preventDefault();
    confirmSignOut(form);
  });
}
