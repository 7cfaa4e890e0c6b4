// What script posts: with the page's token, or a fresh one when that has expired and the person is still the same.
import { user } from "shared/current-user";
import { waitOf } from "shared/retry-after";

const TOKEN_URL = "/messages/token";
const PATIENCE = 20_000; // ms

/**
 * @typedef {object} Answer
 * @property {number} status 0 when there was none
 * @property {any} body
 * @property {string} error its code, or "network"
 * @property {number | null} retryAfter ms
 */

/** @type {Answer} */
const SIGNED_OUT = { status: 403, body: null, error: "signed_out", retryAfter: null };

const fields = () => document.querySelectorAll(/** @type {"input"} */ ("input[name=csrfmiddlewaretoken]"));
let token = "";

/**
 * @param {string} url
 * @param {Record<string, string>} form
 * @returns {Promise<Answer>}
 */
export async function post(url, form) {
  token ||= fields()[0]?.value ?? "";
  if (token) {
    const answer = await postOnce(url, form);
    if (answer.status !== 403 || answer.error !== "csrf") return answer;
  }
  const fresh = await request(TOKEN_URL, { cache: "no-store" });
  if (fresh.status !== 200) return fresh;
  // The page is not of the person who is signed in now: nothing may be sent in their name.
  if (fresh.body?.user !== user) return SIGNED_OUT;
  token = fresh.body.token;
  for (const field of fields()) field.value = token;
  return postOnce(url, form);
}

/** @param {string} url @param {Record<string, string>} form */
function postOnce(url, form) {
  const body = new URLSearchParams(form);
  // Kept alive, so that it arrives also when the page is left at once.
  return request(url, { method: "POST", body, headers: { "X-CSRFToken": token }, keepalive: true });
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @returns {Promise<Answer>}
 */
async function request(url, options) {
  const headers = { ...options.headers, Accept: "application/json" };
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const response = await fetch(url, { ...options, headers, signal, redirect: "manual" });
    // Only whoever is signed out is sent elsewhere.
    if (response.type === "opaqueredirect") return SIGNED_OUT;
    const body = await response.json().catch(() => null);
    const error = response.ok ? "" : String(body?.error ?? "");
    return { status: response.status, body, error, retryAfter: waitOf(response.headers.get("Retry-After")) };
  } catch {
    return { status: 0, body: null, error: "network", retryAfter: null };
  }
}
