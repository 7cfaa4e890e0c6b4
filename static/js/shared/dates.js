// Formats times relative to today, in the user's time zone and the page's language. The forms are those of the server
// (messaging/presenters/dates.py).

/** @typedef {"today" | "yesterday" | "weekday" | "date" | "year"} Form the longest form that a day needs */

const WEEK = 7; // days
const DAY = 24 * 3600 * 1000; // ms

const language = document.documentElement.lang;
const locale = language === "en" ? "en-GB" : language; // the day before the month, 24 hours

/** @param {Intl.DateTimeFormatOptions} options */
const formatter = (options) => {
  const format = new Intl.DateTimeFormat(locale, options);
  return (/** @type {Date} */ moment) => format.format(moment);
};

/** @param {number} days @returns {() => string} */
const relative = (days) => () => {
  const word = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(days, "day");
  return word.charAt(0).toLocaleUpperCase(locale) + word.slice(1);
};

/** @type {Record<Form, (moment: Date) => string>} */
const IN_LIST = {
  today: formatter({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  yesterday: relative(-1),
  weekday: formatter({ weekday: "short" }),
  date: formatter({ day: "numeric", month: "short" }),
  year: formatter({ day: "numeric", month: "short", year: "numeric" }),
};

/** @type {Record<Form, (moment: Date) => string>} */
const BETWEEN_MESSAGES = {
  today: relative(0),
  yesterday: relative(-1),
  weekday: formatter({ weekday: "long" }),
  date: formatter({ weekday: "long", day: "numeric", month: "long" }),
  year: formatter({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
};

/** Return the day in the user's time zone, e.g. "2026-11-21". @param {Date} moment */
export function localDate(moment) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}

/** Return the form for a day. @param {string} day @param {string} today @returns {Form} */
export function formOf(day, today) {
  const days = (Date.parse(today) - Date.parse(day)) / DAY;
  if (days === 0) return "today";
  if (days === 1) return "yesterday";
  if (days > 0 && days < WEEK) return "weekday";
  return day.slice(0, 4) === today.slice(0, 4) ? "date" : "year";
}

/** Return the heading above the messages of a day, e.g. "Today". @param {string} day @returns {string} */
export function dayLabel(day) {
  return BETWEEN_MESSAGES[formOf(day, localDate(new Date()))](new Date(`${day}T12:00`));
}

/** Return the time in the list of conversations, e.g. "21:02" or "Thu". @param {Date} moment @returns {string} */
export function listLabel(moment) {
  return IN_LIST[formOf(localDate(moment), localDate(new Date()))](moment);
}
