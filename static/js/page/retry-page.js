// A page that could not be answered asks again by itself and is loaded once there is an answer; until then it stays as
// it is, with what has the focus. Without script there is a link.
const note = /** @type {HTMLElement | null} */ (document.querySelector("[data-again-after]"));
const UNAVAILABLE = 503;

function wait() {
  setTimeout(ask, Number(note?.dataset.againAfter) * 1000);
}

async function ask() {
  try {
    const { status } = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    if (status !== UNAVAILABLE) {
      location.reload();
      return;
    }
  } catch {
    // No network: as if it were still away.
  }
  wait();
}

if (note) {
  note.hidden = false;
  wait();
}
