// Asks the server for the newest conversations and brings the list to what it says, without a flicker.
import { leave } from "shared/current-user";
import { numbersOf, raise } from "conversation-list/conversation-row";
import { askLater } from "shared/retry-after";
import { become } from "shared/morph";

/**
 * @param {Element} body where the list is
 * @param {string[]} gone conversations that leave the list unless they are in it
 * @param {() => void} again called once the server can be asked again, where it says when
 * @returns {Promise<number | null>} how much is unread in all, or null when the server could not be asked
 */
export async function loadRows(body, gone, again) {
  const url = body.getAttribute("data-rows-url") ?? "";
  const current = body.querySelector("li.conversation:has([aria-current])")?.getAttribute("data-group") ?? "";
  try {
    const response = await fetch(`${url}?${new URLSearchParams({ current })}`, {
      headers: { Accept: "text/html" },
      cache: "no-store",
      redirect: "manual",
    });
    if (response.type === "opaqueredirect") leave();
    if (!response.ok) {
      askLater(response, again);
      return null;
    }
    show(body, await response.text(), gone);
    return Number(response.headers.get("X-Unread"));
  } catch {
    return null; // without a network; the next occasion comes
  }
}

/**
 * @param {Element} body
 * @param {string} html
 * @param {string[]} gone
 */
function show(body, html, gone) {
  const fresh = document.createRange().createContextualFragment(html).querySelector("ul");
  const list = body.querySelector("ul");
  if (!fresh) return;
  if (!list) {
    // The first conversation of all.
    if (fresh.children.length) body.querySelector(".empty")?.replaceWith(fresh);
    return;
  }
  showRequests(list, fresh);
  for (const group of gone) {
    const [there, here] = [list, fresh].map((each) => each.querySelector(`li.conversation[data-group="${group}"]`));
    if (!here) there?.remove();
  }
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (fresh.querySelectorAll("li.conversation[data-group]"))) {
    const there = list.querySelector(`li.conversation[data-group="${row.dataset.group}"]`);
    if (there instanceof HTMLElement) update(there, row);
    else list.append(row);
  }
}

/**
 * The way to the requests stands on top, if there are any.
 *
 * @param {Element} list
 * @param {Element} fresh
 */
function showRequests(list, fresh) {
  const [there, here] = [list, fresh].map((each) => each.querySelector(":scope > li:not([data-group])"));
  if (!here) there?.remove();
  else if (there instanceof HTMLElement) become(there, /** @type {HTMLElement} */ (here));
  else list.prepend(here);
}

/**
 * The list may lag behind the events that this page knows of, so numbers only go up.
 *
 * @param {HTMLElement} row
 * @param {HTMLElement} fresh
 */
function update(row, fresh) {
  const [before, now] = [numbersOf(row), numbersOf(fresh)];
  if (now.lastSeq >= before.lastSeq) become(row, fresh);
  raise(row, now);
  raise(row, before);
}
