// Tells the server the reader's time zone, and by being there at all that script runs: pages loaded with this cookie
// are not taken as read by the loading. A week, so that a browser whose script is turned off is soon one without it.
const WEEK = 7 * 24 * 3600;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const secure = location.protocol === "https:" ? "; secure" : "";
// As cruddur/web/cookies.py names it: cookies do not know ports, and several sites may run on one machine.
const name = secure ? "timezone" : `timezone-${location.port || 80}`;
document.cookie = `${name}=${zone}; path=/; max-age=${WEEK}; samesite=lax${secure}`;
