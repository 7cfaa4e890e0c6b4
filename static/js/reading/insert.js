// The one way into the log for messages that the page did not come with: in their place, without a jump, and announced.
import { place, regroup } from "reading/groups";
import { steadily } from "reading/steady";

/**
 * Puts messages into the log, each under its day and after the one before it; one with an id that is there replaces
 * it. Tells everyone with `thread:added`.
 * @param {HTMLElement} log `.thread__log`
 * @param {HTMLElement[]} messages
 * @param {{ follow?: boolean }} [how] as for `steadily`
 */
export function insert(log, messages, how) {
  const content = log.querySelector(".thread__content");
  if (!content || !messages.length) return;
  steadily(
    log,
    () => {
      for (const message of messages) {
        const there = message.id && document.getElementById(message.id);
        if (there) there.replaceWith(message);
        else place(content, message);
      }
      regroup(log);
    },
    how,
  );
  document.dispatchEvent(new CustomEvent("thread:added", { detail: { messages } }));
}
