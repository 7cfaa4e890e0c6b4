// Scrolls an opened conversation to the message in the URL's fragment and focuses it, or else to the first new message.
import { log } from "conversation/message-log";

const MESSAGE = /^#m\d{4}-/;

/** @param {HTMLElement} log */
function scrollToStart(log) {
  const name = decodeURIComponent(location.hash);
  if (MESSAGE.test(name)) return scrollToMessage(name.slice(1));
  // A URL without "#new" may still have new messages: it was typed, or is older than they are.
  if (!name) log.querySelector("#new")?.scrollIntoView();
}

/** @param {string} id */
function scrollToMessage(id) {
  const message = document.getElementById(id);
  if (!message) {
    const around = new URL(location.href);
    around.search = new URLSearchParams({ around: id.slice(1) }).toString();
    // Only once: the message may not exist.
    if (around.search !== location.search) location.assign(around);
    return;
  }
  message.tabIndex = -1;
  message.focus({ preventScroll: true });
  message.scrollIntoView({ block: "center" });
}

if (log?.dataset.readUrl) {
  const conversationLog = log;
  scrollToStart(conversationLog);
  addEventListener("hashchange", () => scrollToStart(conversationLog));
}
