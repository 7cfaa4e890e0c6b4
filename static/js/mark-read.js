// Notes what has really been seen: the newest of others' messages whose end was in view while the page was visible.
const log = document.querySelector(".thread__log[data-read-url]");
const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
const WAIT = 400; // ms: one request for what comes into view together

let read = Number(log?.dataset.readSeq);
let seen = null;
let timer;

const seqOf = (message) => Number(message.dataset.seq);

async function send() {
  if (!seen || seqOf(seen) <= read || document.visibilityState !== "visible") return;
  const message = seen;
  const body = new URLSearchParams({ created_at: message.id.slice(1) });
  const headers = { "X-CSRFToken": token, Accept: "application/json" };
  try {
    const response = await fetch(log.dataset.readUrl, { method: "POST", body, headers, keepalive: true });
    if (response.ok) read = Math.max(read, seqOf(message));
  } catch {
    // Without a network nothing is noted; the next message seen, or the next look at the page, tries again.
  }
}

function note(entries) {
  for (const { isIntersecting, target } of entries) {
    const message = target.closest(".message");
    if (isIntersecting && (!seen || seqOf(message) > seqOf(seen))) seen = message;
  }
  soon();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(send, WAIT);
}

if (log && token) {
  const observer = new IntersectionObserver(note, { root: log });
  for (const message of log.querySelectorAll(".message:not(.message--own)")) {
    // Its time stands at its end: a message may be longer than the screen.
    if (seqOf(message) > read) observer.observe(message.querySelector(".message__aside"));
  }
  document.addEventListener("visibilitychange", soon);
}
