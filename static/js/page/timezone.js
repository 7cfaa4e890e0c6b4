// Sets a cookie with the user's time zone. Its presence also tells the server that scripts run, so that loading a page
// does not mark messages as read. It lasts a week, so that the server soon notices when scripts are turned off.
const WEEK = 7 * 24 * 3600;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const secure = location.protocol === "https:" ? "; secure" : "";
// Named as in cruddur/web/cookies.py: cookies are shared between ports, and several sites may run on one machine.
const name = secure ? "timezone" : `timezone-${location.port || 80}`;
document.cookie = `${name}=${zone}; path=/; max-age=${WEEK}; samesite=lax${secure}`;
