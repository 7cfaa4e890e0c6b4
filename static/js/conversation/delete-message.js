// Asks before one's own message is deleted, and lets the focus go on to the message after it.
import { log, put } from "conversation/message-log";
import { post } from "shared/post";
import { piece } from "shared/templates";

/** @param {HTMLElement} message */
export function askToDelete(message) {
  const url = message.querySelector(/** @type {"a"} */ ("a.message__more"))?.pathname;
  const dialog = /** @type {HTMLDialogElement} */ (piece("deletion"));
  dialog.querySelector(".quote")?.replaceChildren(message.querySelector(".message__text")?.textContent ?? "");
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    // The shadow around a dialog belongs to it: a press there keeps the message.
    if (event.target === dialog && !isIn(dialog, event)) dialog.close();
  });
  dialog.querySelector("form")?.addEventListener("submit", async (event) => {
    if (/** @type {HTMLButtonElement} */ (event.submitter).value !== "delete") return;
    event.preventDefault();
    await remove(message, `${url}/delete`, dialog);
  });
  dialog.showModal();
}

/** @param {HTMLElement} message @param {string} url @param {HTMLDialogElement} dialog */
async function remove(message, url, dialog) {
  const buttons = dialog.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  const answer = await post(url, {});
  for (const button of buttons) button.disabled = false;
  if (answer.status !== 200) {
    const problem = dialog.querySelector(/** @type {"p"} */ ("[role=alert]"));
    if (problem) problem.hidden = false;
    buttons[0].focus();
    return;
  }
  dialog.close();
  if (answer.body.html) put([answer.body]);
  nextTo(message)?.focus({ preventScroll: true });
}

/** @param {HTMLElement} message @returns {HTMLElement | null} the next message that has something to press */
function nextTo(message) {
  const all = [...(log?.querySelectorAll(/** @type {"li"} */ (".message")) ?? [])];
  const here = all.findIndex(({ id }) => id === message.id);
  const near = [...all.slice(here + 1), ...all.slice(0, here).reverse()];
  return near.map((each) => each.querySelector(/** @type {"a"} */ ("a.message__more"))).find(Boolean) ?? log;
}

/** @param {HTMLElement} element @param {MouseEvent} event */
function isIn(element, { clientX: x, clientY: y }) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return x >= left && x <= right && y >= top && y <= bottom;
}
