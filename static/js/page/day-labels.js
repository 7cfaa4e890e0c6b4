// When a day has ended, what was "Today" is "Yesterday": between messages, and in the list of conversations.
import { dayLabel, formOf, listLabel, localDate } from "shared/dates";

const A_MOMENT = 50; // ms, as timers may be early

let today = localDate(new Date());
let timer = 0;

/** Write anew what is said otherwise since the day it was written. */
function renew() {
  const before = today;
  today = localDate(new Date());
  if (before !== today) relabel(before);
  clearTimeout(timer);
  const midnight = new Date();
  midnight.setHours(24, 0, 0, 0);
  timer = setTimeout(renew, midnight.getTime() - Date.now() + A_MOMENT);
}

/** @param {string} before */
function relabel(before) {
  for (const time of document.querySelectorAll("time")) {
    const isHeading = time.matches(".day > h2 > time");
    if (!isHeading && !time.matches(".conversation__time")) continue;
    const day = isHeading ? time.dateTime : localDate(new Date(time.dateTime));
    if (formOf(day, before) === formOf(day, today)) continue;
    time.textContent = isHeading ? dayLabel(day) : listLabel(new Date(time.dateTime));
  }
}

renew();
// Timers stand still while a machine sleeps or a page is kept for later.
document.addEventListener("visibilitychange", renew);
addEventListener("pageshow", renew);
