// Where a thread opens: at the message that its address names, which gets the focus, or else where "New" begins.
import { log } from "conversation/message-log";

const MESSAGE = /^#m\d{4}-/;

/** @param {HTMLElement} log */
function open(log) {
  const name = decodeURIComponent(location.hash);
  if (MESSAGE.test(name)) return openAt(name.slice(1));
  // An address without "#new" may be one, too: typed, or from before there was something new.
  if (!name) log.querySelector("#new")?.scrollIntoView();
}

/** @param {string} id */
function openAt(id) {
  const message = document.getElementById(id);
  if (!message) {
    const around = new URL(location.href);
    around.search = new URLSearchParams({ around: id.slice(1) }).toString();
    // Once: a message that is not there at all is not around itself either.
    if (around.search !== location.search) location.assign(around);
    return;
  }
  message.tabIndex = -1;
  message.focus({ preventScroll: true });
  message.scrollIntoView({ block: "center" });
}

if (log?.dataset.readUrl) {
  const thread = log;
  open(thread);
  addEventListener("hashchange", () => open(thread));
}
