// How long a server that cannot answer now asks to wait.

/** @param {string | null} header seconds or a date @returns {number | null} ms */
export function waitOf(header) {
  if (!header) return null;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/**
 * Ask again after the time that the answer names, if it names one: what nobody waits for needs no words.
 *
 * @param {Response} response
 * @param {() => void} ask
 */
export function askLater(response, ask) {
  const wait = waitOf(response.headers.get("Retry-After"));
  if (wait !== null) setTimeout(ask, wait);
}
