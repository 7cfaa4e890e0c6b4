// Updates relative dates at midnight: "Today" becomes "Yesterday", between messages and in the list of conversations.
import { dayLabel, formOf, listLabel, localDate } from "shared/dates";

const MARGIN = 50; // ms: timers may fire early

let today = localDate(new Date());
let timer = 0;

/** Update the labels if the day has changed, and schedule the next update. */
function update() {
  const before = today;
  today = localDate(new Date());
  if (before !== today) relabel(before);
  clearTimeout(timer);
  const midnight = new Date();
  midnight.setHours(24, 0, 0, 0);
  timer = setTimeout(update, midnight.getTime() - Date.now() + MARGIN);
}

/** Rewrite the labels that differ from what they were on the day `before`. @param {string} before */
function relabel(before) {
  for (const time of document.querySelectorAll("time")) {
    const isHeading = time.matches(".day > h2 > time");
    if (!isHeading && !time.matches(".conversation__time")) continue;
    const day = isHeading ? time.dateTime : localDate(new Date(time.dateTime));
    if (formOf(day, before) === formOf(day, today)) continue;
    time.textContent = isHeading ? dayLabel(day) : listLabel(new Date(time.dateTime));
  }
}

update();
// Timers do not run while a machine sleeps or a page is in the back/forward cache.
document.addEventListener("visibilitychange", update);
addEventListener("pageshow", update);
