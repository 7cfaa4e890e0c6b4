// Reloads an error page once the server can answer again. Until then the page and its focus stay as they are. Without
// script the page has a link.
const note = /** @type {HTMLElement | null} */ (document.querySelector("[data-retry-after]"));
const UNAVAILABLE = 503;

function wait() {
  setTimeout(retry, Number(note?.dataset.retryAfter) * 1000);
}

async function retry() {
  try {
    const { status } = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    if (status !== UNAVAILABLE) {
      location.reload();
      return;
    }
  } catch {
    // Without a network: retry as if the server were unavailable.
  }
  wait();
}

if (note) {
  note.hidden = false;
  wait();
}
