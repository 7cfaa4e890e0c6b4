// The search over the list: conversations at once, by name, of those that are loaded; and people, from the server.
import { list, watch } from "conversation-list/infinite-scroll";

const WAIT = 200; // ms after the last key

const form = /** @type {HTMLFormElement | null} */ (document.querySelector(".inbox form[role=search]"));
const field = /** @type {HTMLInputElement | null} */ (form?.querySelector("input[type=search]") ?? null);
const heading = /** @type {HTMLElement | null} */ (list?.querySelector("[data-filter=heading]") ?? null);
const found = /** @type {HTMLElement | null} */ (list?.querySelector("[data-filter=people]") ?? null);
const status = /** @type {HTMLElement | null} */ (list?.querySelector("[data-filter=status]") ?? null);
let timer = 0;
/** @type {AbortController | undefined} */
let asking;

/** Letters without marks and case, as the server compares names. @param {string} text */
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** @returns {HTMLElement[]} */
const rows = () => [...(list?.querySelectorAll(/** @type {"li"} */ ("li.conversation[data-group]")) ?? [])];

/** @param {HTMLElement} list @param {string} query */
function filter(list, query) {
  const words = plain(query).split(/\s+/);
  for (const row of rows()) {
    const name = plain(row.querySelector(".conversation__name > bdi")?.textContent ?? "");
    const hidden = !words.every((word) => name.includes(word));
    if (row.hidden !== hidden) row.hidden = hidden;
  }
  list.toggleAttribute("data-filtered", query !== "");
  if (heading) heading.hidden = query === "" || rows().every(({ hidden }) => hidden);
  if (query === "") watch();
}

/** @param {HTMLElement} found @param {HTMLElement} status @param {string} query */
async function ask(found, status, query) {
  asking?.abort();
  asking = new AbortController();
  const shown = rows().filter(({ hidden }) => !hidden);
  const parameters = new URLSearchParams({ q: query });
  for (const { dataset } of shown) parameters.append("group", dataset.group ?? "");
  try {
    const response = await fetch(`${found.dataset.url}?${parameters}`, { signal: asking.signal, redirect: "error" });
    if (!response.ok) return;
    const fragment = document.createRange().createContextualFragment(await response.text());
    const words = fragment.querySelector("[data-status]");
    words?.remove();
    found.replaceChildren(fragment);
    status.textContent = words?.textContent ?? "";
  } catch {
    // Another key was pressed, or there is no network: the conversations are filtered all the same.
  }
}

/** @param {HTMLElement} list @param {HTMLInputElement} field */
function search(list, field) {
  const query = field.value.trim();
  filter(list, query);
  clearTimeout(timer);
  asking?.abort();
  if (!found || !status) return;
  if (query) timer = setTimeout(ask, WAIT, found, status, query);
  else for (const part of [found, status]) part.replaceChildren();
}

if (list && form && field) {
  const body = list;
  field.addEventListener("input", () => search(body, field));
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !field.value) return;
    event.preventDefault();
    field.value = "";
    search(body, field);
  });
  form.addEventListener("submit", (event) => {
    // Enter opens what stands first.
    const first = /** @type {HTMLElement | null} */ (body.querySelector("li.conversation:not([hidden]) a"));
    if (!field.value.trim() || !first) return;
    event.preventDefault();
    first.click();
  });
  // Rows that come, or are put anew, while some are shown only.
  const rowsList = body.querySelector("ul");
  if (rowsList) {
    const onChange = () => field.value.trim() && filter(body, field.value.trim());
    new MutationObserver(onChange).observe(rowsList, { childList: true, subtree: true, attributeFilter: ["hidden"] });
  }
  if (field.value) search(body, field); // as it was left in the browser's history
}
