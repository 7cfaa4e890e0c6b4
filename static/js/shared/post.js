// Posts forms with the page's CSRF token, and renews the token when it has expired and the user is still the same.
import { user } from "shared/current-user";
import { retryAfterOf } from "shared/retry-after";

const TOKEN_URL = "/messages/token";
const TIMEOUT = 20_000; // ms

/**
 * @typedef {object} Result
 * @property {number} status 0 without a response
 * @property {any} body
 * @property {string} error the code of the error, or "network"
 * @property {number | null} retryAfter ms
 */

/** @type {Result} */
const SIGNED_OUT = { status: 403, body: null, error: "signed_out", retryAfter: null };

const tokenFields = () => document.querySelectorAll(/** @type {"input"} */ ("input[name=csrfmiddlewaretoken]"));
let token = "";

/**
 * Post a form. Never rejects: without a response the status is 0.
 *
 * @param {string} url
 * @param {Record<string, string>} form
 * @returns {Promise<Result>}
 */
export async function post(url, form) {
  token ||= tokenFields()[0]?.value ?? "";
  if (token) {
    const result = await postOnce(url, form);
    if (result.status !== 403 || result.error !== "csrf") return result;
  }
  const fresh = await request(TOKEN_URL, { cache: "no-store" });
  if (fresh.status !== 200) return fresh;
  // Somebody else is signed in now: nothing may be sent in their name.
  if (fresh.body?.user !== user) return SIGNED_OUT;
  token = fresh.body.token;
  for (const field of tokenFields()) field.value = token;
  return postOnce(url, form);
}

/** @param {string} url @param {Record<string, string>} form */
function postOnce(url, form) {
  const body = new URLSearchParams(form);
  // keepalive lets the request finish when the page is left.
  return request(url, { method: "POST", body, headers: { "X-CSRFToken": token }, keepalive: true });
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @returns {Promise<Result>}
 */
async function request(url, options) {
  const headers = { ...options.headers, Accept: "application/json" };
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    const response = await fetch(url, { ...options, headers, signal, redirect: "manual" });
    // The only redirect is the one to the sign-in.
    if (response.type === "opaqueredirect") return SIGNED_OUT;
    const body = await response.json().catch(() => null);
    const error = response.ok ? "" : String(body?.error ?? "");
    return { status: response.status, body, error, retryAfter: retryAfterOf(response.headers.get("Retry-After")) };
  } catch {
    return { status: 0, body: null, error: "network", retryAfter: null };
  }
}
