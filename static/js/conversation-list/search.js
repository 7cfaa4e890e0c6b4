// Filters the loaded conversations by name while the user types, and finds people on the server.
import { list, observeEnd } from "conversation-list/infinite-scroll";

const DELAY = 200; // ms after the last key

const form = /** @type {HTMLFormElement | null} */ (document.querySelector(".inbox form[role=search]"));
const field = /** @type {HTMLInputElement | null} */ (form?.querySelector("input[type=search]") ?? null);
const heading = /** @type {HTMLElement | null} */ (list?.querySelector("[data-filter=heading]") ?? null);
const results = /** @type {HTMLElement | null} */ (list?.querySelector("[data-filter=people]") ?? null);
const status = /** @type {HTMLElement | null} */ (list?.querySelector("[data-filter=status]") ?? null);
let timer = 0;
/** @type {AbortController | undefined} */
let request;

/** Remove marks and case, as the server does to compare names. @param {string} text */
const normalizeName = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** @returns {HTMLElement[]} */
const rows = () => [...(list?.querySelectorAll(/** @type {"li"} */ ("li.conversation[data-group]")) ?? [])];

/** @param {HTMLElement} list @param {string} query */
function filter(list, query) {
  const words = normalizeName(query).split(/\s+/);
  for (const row of rows()) {
    const name = normalizeName(row.querySelector(".conversation__name > bdi")?.textContent ?? "");
    const hidden = !words.every((word) => name.includes(word));
    if (row.hidden !== hidden) row.hidden = hidden;
  }
  list.toggleAttribute("data-filtered", query !== "");
  if (heading) heading.hidden = query === "" || rows().every(({ hidden }) => hidden);
  if (query === "") observeEnd();
}

/** @param {HTMLElement} results @param {HTMLElement} status @param {string} query */
async function searchPeople(results, status, query) {
  request?.abort();
  request = new AbortController();
  const shown = rows().filter(({ hidden }) => !hidden);
  const parameters = new URLSearchParams({ q: query });
  for (const { dataset } of shown) parameters.append("group", dataset.group ?? "");
  try {
    const response = await fetch(`${results.dataset.url}?${parameters}`, { signal: request.signal, redirect: "error" });
    if (!response.ok) return;
    const fragment = document.createRange().createContextualFragment(await response.text());
    const words = fragment.querySelector("[data-status]");
    words?.remove();
    results.replaceChildren(fragment);
    status.textContent = words?.textContent ?? "";
  } catch {
    // Aborted by the next key, or without a network: the conversations are filtered anyway.
  }
}

/** @param {HTMLElement} list @param {HTMLInputElement} field */
function search(list, field) {
  const query = field.value.trim();
  filter(list, query);
  clearTimeout(timer);
  request?.abort();
  if (!results || !status) return;
  if (query) timer = setTimeout(searchPeople, DELAY, results, status, query);
  else for (const part of [results, status]) part.replaceChildren();
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
    // Enter opens the first visible row.
    const first = /** @type {HTMLElement | null} */ (body.querySelector("li.conversation:not([hidden]) a"));
    if (!field.value.trim() || !first) return;
    event.preventDefault();
    first.click();
  });
  // Filter rows that are added or replaced during a search.
  const rowsList = body.querySelector("ul");
  if (rowsList) {
    const onChange = () => field.value.trim() && filter(body, field.value.trim());
    new MutationObserver(onChange).observe(rowsList, { childList: true, subtree: true, attributeFilter: ["hidden"] });
  }
  if (field.value) search(body, field); // restored from the browser's history
}
