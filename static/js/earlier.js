// Puts earlier messages above the loaded ones without leaving the page; what is in view stays where it is, because the
// log is laid out from its end. If they cannot be had, the link is followed as it would be without script.
const log = document.querySelector(".thread__log");
const content = log?.querySelector(".thread__content");

async function load(event) {
  const link = event.target.closest("a[data-earlier]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (log.getAttribute("aria-busy") === "true") return;
  log.setAttribute("aria-busy", "true");
  link.setAttribute("aria-disabled", "true");
  link.textContent = "Loading earlier messages";
  try {
    const response = await fetch(link.dataset.earlier, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!response.ok) throw new Error(response.statusText);
    insert(link, await response.text());
  } catch {
    location.assign(link.href);
  } finally {
    log.removeAttribute("aria-busy");
  }
}

function insert(link, html) {
  const earlier = document.createRange().createContextualFragment(html);
  // "New" begins at the first of the new ones, which may be among these.
  if (earlier.querySelector("#new")) content.querySelector("#new")?.remove();
  const focused = document.activeElement === link;
  const first = link.closest("p").nextElementSibling;
  joinDay(earlier.lastElementChild, first);
  link.closest("p").remove();
  content.prepend(earlier);
  if (focused) (content.querySelector("a[data-earlier]") ?? log).focus({ preventScroll: true });
}

// The day that both have becomes one.
function joinDay(last, first) {
  const date = (section) => section?.querySelector("h2 time")?.dateTime;
  if (!first || date(last) !== date(first)) return;
  first.querySelector("ol").prepend(...last.querySelector("ol").children);
  last.remove();
}

content?.addEventListener("click", load);
