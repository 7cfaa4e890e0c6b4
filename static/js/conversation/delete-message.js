// Asks before an own message is deleted, and moves the focus to the next message.
import { log, upsertMessages } from "conversation/message-log";
import { post } from "shared/post";
import { cloneTemplate } from "shared/templates";

/** @param {HTMLElement} message */
export function confirmDelete(message) {
  const url = message.querySelector(/** @type {"a"} */ ("a.message__more"))?.pathname;
  const dialog = /** @type {HTMLDialogElement} */ (cloneTemplate("delete-message"));
  dialog.querySelector(".quote")?.replaceChildren(message.querySelector(".message__text")?.textContent ?? "");
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    // Clicks on the backdrop have the dialog as target: they keep the message.
    if (event.target === dialog && !contains(dialog, event)) dialog.close();
  });
  dialog.querySelector("form")?.addEventListener("submit", async (event) => {
    if (/** @type {HTMLButtonElement} */ (event.submitter).value !== "delete") return;
    event.preventDefault();
    await deleteMessage(message, `${url}/delete`, dialog);
  });
  dialog.showModal();
}

/** @param {HTMLElement} message @param {string} url @param {HTMLDialogElement} dialog */
async function deleteMessage(message, url, dialog) {
  const buttons = dialog.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  const result = await post(url, {});
  for (const button of buttons) button.disabled = false;
  if (result.status !== 200) {
    const problem = dialog.querySelector(/** @type {"p"} */ ("[role=alert]"));
    if (problem) problem.hidden = false;
    buttons[0].focus();
    return;
  }
  dialog.close();
  if (result.body.html) upsertMessages([result.body]);
  nextFocus(message)?.focus({ preventScroll: true });
}

/** @param {HTMLElement} message @returns {HTMLElement | null} the menu button of the nearest message that has one */
function nextFocus(message) {
  const all = [...(log?.querySelectorAll(/** @type {"li"} */ (".message")) ?? [])];
  const here = all.findIndex(({ id }) => id === message.id);
  const near = [...all.slice(here + 1), ...all.slice(0, here).reverse()];
  return near.map((each) => each.querySelector(/** @type {"a"} */ ("a.message__more"))).find(Boolean) ?? log;
}

/** @param {HTMLElement} element @param {MouseEvent} event */
function contains(element, { clientX: x, clientY: y }) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return x >= left && x <= right && y >= top && y <= bottom;
}
