// Tells the server the reader's time zone, and by being there at all that script runs: pages loaded with this cookie
// are not taken as read by the loading. A week, so that a browser whose script is turned off is soon one without it.
const WEEK = 7 * 24 * 3600;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const secure = location.protocol === "https:" ? "; secure" : "";
document.cookie = `timezone=${zone}; path=/; max-age=${WEEK}; samesite=lax${secure}`;
