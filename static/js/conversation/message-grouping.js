// Groups messages by day and sender, as the server does for a page, when messages are added later.
import { dayLabel, localDate } from "shared/dates";

const MAX_GAP = 5 * 60 * 1000; // ms

/** @param {HTMLElement} message */
const timeOf = (message) => Date.parse(message.dataset.at ?? "");

/** @param {HTMLElement} message */
const isStored = (message) => !message.hasAttribute("data-state");

/**
 * Mark every message in `list` (the log or a part of it) that continues the one before it: same sender, same day,
 * within five minutes, and no "New" divider between them.
 * @param {ParentNode} list
 */
export function regroup(list) {
  /** @type {HTMLElement | null} */
  let before = null;
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll(".message, .new"))) {
    const isMessage = each.matches(".message");
    if (isMessage) each.classList.toggle("message--continued", before !== null && continues(before, each));
    before = isMessage ? each : null;
  }
}

/** @param {HTMLElement} before @param {HTMLElement} message */
function continues(before, message) {
  return (
    before.dataset.user === message.dataset.user &&
    before.parentElement === message.parentElement &&
    timeOf(message) - timeOf(before) <= MAX_GAP
  );
}

/**
 * Insert a message under its day by time; an unacknowledged one (`data-state`) is the last of its day. Call `regroup`
 * afterwards.
 * @param {Element} content `.thread__content`
 * @param {HTMLElement} message with `data-at`
 */
export function insertMessage(content, message) {
  const list = listOf(content, localDate(new Date(timeOf(message))));
  /** @type {Element | null} */
  let next = null;
  for (let each = list.lastElementChild; each instanceof HTMLElement; each = each.previousElementSibling) {
    if (!isStored(message) || (isStored(each) && each.id < message.id) || each.matches(".new")) break;
    next = each;
  }
  list.insertBefore(message, next);
}

/**
 * Return the list of a day's messages; create it if there is none.
 * @param {Element} content @param {string} day @returns {Element}
 */
function listOf(content, day) {
  /** @type {Element | null} */
  let before = null;
  for (const section of content.querySelectorAll(":scope > .day")) {
    const date = section.querySelector("time")?.dateTime ?? "";
    const list = section.querySelector("ol");
    if (date === day && list) return list;
    if (date < day) before = section;
  }
  const section = newDay(day);
  if (before) before.after(section);
  else content.insertBefore(section, content.querySelector(":scope > :is(.day, .thread__newer, #newest)"));
  return section.appendChild(document.createElement("ol"));
}

/** @param {string} day */
function newDay(day) {
  const section = document.createElement("section");
  section.className = "day";
  const heading = section.appendChild(document.createElement("h2"));
  heading.className = "meta";
  const time = heading.appendChild(document.createElement("time"));
  time.dateTime = day;
  time.textContent = dayLabel(day);
  return section;
}
