// Requests the newest conversations and merges them into the list.
import { countersOf, raiseCounters } from "conversation-list/conversation-row";
import { redirectToLanding } from "shared/current-user";
import { morph } from "shared/morph";
import { retryLater } from "shared/retry-after";

/**
 * @param {Element} body the element around the list
 * @param {string[]} changed conversations to remove unless the server still lists them
 * @param {() => void} retry called once the server can answer again, if it says when
 * @returns {Promise<number | null>} the number of unread messages, or null when the request failed
 */
export async function refreshRows(body, changed, retry) {
  const url = body.getAttribute("data-rows-url") ?? "";
  const current = body.querySelector("li.conversation:has([aria-current])")?.getAttribute("data-group") ?? "";
  try {
    const response = await fetch(`${url}?${new URLSearchParams({ current })}`, {
      headers: { Accept: "text/html" },
      cache: "no-store",
      redirect: "manual",
    });
    if (response.type === "opaqueredirect") redirectToLanding();
    if (!response.ok) {
      retryLater(response, retry);
      return null;
    }
    merge(body, await response.text(), changed);
    return Number(response.headers.get("X-Unread"));
  } catch {
    return null; // without a network: the next event requests the list again
  }
}

/**
 * @param {Element} body
 * @param {string} html
 * @param {string[]} changed
 */
function merge(body, html, changed) {
  const fresh = document.createRange().createContextualFragment(html).querySelector("ul");
  const list = body.querySelector("ul");
  if (!fresh) return;
  if (!list) {
    // The user's first conversation.
    if (fresh.children.length) body.querySelector(".empty")?.replaceWith(fresh);
    return;
  }
  mergeRequestsRow(list, fresh);
  for (const group of changed) {
    const [there, here] = [list, fresh].map((each) => each.querySelector(`li.conversation[data-group="${group}"]`));
    if (!here) there?.remove();
  }
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (fresh.querySelectorAll("li.conversation[data-group]"))) {
    const there = list.querySelector(`li.conversation[data-group="${row.dataset.group}"]`);
    if (there instanceof HTMLElement) mergeRow(there, row);
    else list.append(row);
  }
}

/**
 * Merge the row that links to the message requests: the first of the list, present only while there are any.
 *
 * @param {Element} list
 * @param {Element} fresh
 */
function mergeRequestsRow(list, fresh) {
  const [there, here] = [list, fresh].map((each) => each.querySelector(":scope > li:not([data-group])"));
  if (!here) there?.remove();
  else if (there instanceof HTMLElement) morph(there, /** @type {HTMLElement} */ (here));
  else list.prepend(here);
}

/**
 * Merge a row. The server's list may lag behind the events of this page, so counters only go up.
 *
 * @param {HTMLElement} row
 * @param {HTMLElement} fresh
 */
function mergeRow(row, fresh) {
  const [before, now] = [countersOf(row), countersOf(fresh)];
  if (now.lastSeq >= before.lastSeq) morph(row, fresh);
  raiseCounters(row, now);
  raiseCounters(row, before);
}
