// Keeps the stream of live events open: reads it, and when it ends opens it again, later and later while that fails.
import { read } from "realtime/sse";

const RETRY = 2_000; // ms, until the server has named another
const RENEWAL = 500; // ms
const LONGEST = 30_000; // ms between two tries
const SILENCE = 50_000; // ms: heartbeats come every 20 s

/**
 * @typedef {{event: (name: string, detail: any) => void, up: () => void, down: (reason: string) => void}} Listener
 */

/**
 * @param {string} url
 * @param {Listener} listener
 * @returns {{retry: () => void, close: () => void}} `retry` tries at once what would be tried later
 */
export function open(url, listener) {
  const closed = new AbortController();
  let wake = () => {};
  keepOpen();

  async function keepOpen() {
    let retry = RETRY;
    let failures = 0;
    while (!closed.signal.aborted) {
      const end = await once((ms) => (retry = ms), () => (failures = 0));
      if (closed.signal.aborted) return;
      listener.down(end);
      if (end === "signed-out" || end === "nothing") return;
      // A stream that is renewed comes back soon, and not with all the others of a server that stops.
      const pause = end === "renew" ? RENEWAL : Math.min(retry * 2 ** failures, LONGEST);
      await wait(end === "too-many" ? LONGEST : pause * (0.5 + Math.random() / 2));
      if (end !== "renew") failures += 1;
    }
  }

  /**
   * One connection, from its beginning to its end; returns why it ended.
   *
   * @param {(ms: number) => void} setRetry
   * @param {() => void} succeeded
   * @returns {Promise<string>}
   */
  async function once(setRetry, succeeded) {
    const broken = new AbortController();
    const signal = AbortSignal.any([closed.signal, broken.signal]);
    const breakOff = () => broken.abort();
    let silence = setTimeout(breakOff, SILENCE);
    let reason = "";
    addEventListener("offline", breakOff, { signal });
    try {
      const headers = { Accept: "text/event-stream" };
      const response = await fetch(url, { headers, signal, cache: "no-store", redirect: "manual" });
      if ([401, 403].includes(response.status) || response.type === "opaqueredirect") return "signed-out";
      if (response.status === 204) return "nothing"; // where this server has no live events
      if (!response.ok || !response.body) return "refused";
      await read(response.body, {
        retry: setRetry,
        alive() {
          clearTimeout(silence);
          silence = setTimeout(breakOff, SILENCE);
        },
        event(name, data) {
          const detail = JSON.parse(data);
          if (name === "bye") reason = detail.reason;
          else if (name !== "ready") return listener.event(name, detail);
          else {
            succeeded();
            listener.up();
          }
        },
      });
    } catch {
      // The connection could not be made, or broke: what happens next is the same as when it ended.
    } finally {
      clearTimeout(silence);
      broken.abort();
    }
    return reason || "lost";
  }

  /** @param {number} ms */
  function wait(ms) {
    return new Promise((resolve) => {
      wake = () => resolve(undefined);
      setTimeout(wake, ms);
    });
  }

  const retry = () => wake();
  addEventListener("online", retry, { signal: closed.signal });
  return {
    retry,
    close() {
      closed.abort();
      wake();
    },
  };
}
