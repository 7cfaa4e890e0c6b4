// Reads the Retry-After header.

/** @param {string | null} header seconds or a date @returns {number | null} ms */
export function retryAfterOf(header) {
  if (!header) return null;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/**
 * Call `request` again after the time in the response's Retry-After header, if it has one. Shows nothing: use it for
 * background requests.
 *
 * @param {Response} response
 * @param {() => void} request
 */
export function retryLater(response, request) {
  const wait = retryAfterOf(response.headers.get("Retry-After"));
  if (wait !== null) setTimeout(request, wait);
}
