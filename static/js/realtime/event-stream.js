// Keeps the stream of live events open and reconnects with exponential back-off.
import { readEvents } from "realtime/sse";

const RETRY = 2_000; // ms, until the server sends another value
const RENEWAL = 500; // ms
const MAX_PAUSE = 30_000; // ms between two attempts
const IDLE_TIMEOUT = 50_000; // ms: heartbeats come every 20 s

/**
 * @typedef {{event: (name: string, detail: any) => void, up: () => void, down: (reason: string) => void}} Listener
 */

/**
 * Open the stream and keep it open until `close` is called.
 *
 * @param {string} url
 * @param {Listener} listener
 * @returns {{retry: () => void, close: () => void}} `retry` makes the next attempt at once
 */
export function openStream(url, listener) {
  const closed = new AbortController();
  let wake = () => {};
  keepOpen();

  async function keepOpen() {
    let retry = RETRY;
    let failures = 0;
    while (!closed.signal.aborted) {
      const reason = await connect((ms) => (retry = ms), () => (failures = 0));
      if (closed.signal.aborted) return;
      listener.down(reason);
      if (reason === "signed-out" || reason === "nothing") return;
      // Renewed streams reconnect soon; random pauses keep all clients of a stopped server from reconnecting at once.
      const pause = reason === "renew" ? RENEWAL : Math.min(retry * 2 ** failures, MAX_PAUSE);
      await wait(reason === "too-many" ? MAX_PAUSE : pause * (0.5 + Math.random() / 2));
      if (reason !== "renew") failures += 1;
    }
  }

  /**
   * Hold one connection until it ends and return the reason.
   *
   * @param {(ms: number) => void} setRetry
   * @param {() => void} succeeded
   * @returns {Promise<string>}
   */
  async function connect(setRetry, succeeded) {
    const broken = new AbortController();
    const signal = AbortSignal.any([closed.signal, broken.signal]);
    const abort = () => broken.abort();
    let idle = setTimeout(abort, IDLE_TIMEOUT);
    let reason = "";
    addEventListener("offline", abort, { signal });
    try {
      const headers = { Accept: "text/event-stream" };
      const response = await fetch(url, { headers, signal, cache: "no-store", redirect: "manual" });
      if ([401, 403].includes(response.status) || response.type === "opaqueredirect") return "signed-out";
      if (response.status === 204) return "nothing"; // this server has no live events
      if (!response.ok || !response.body) return "refused";
      await readEvents(response.body, {
        retry: setRetry,
        alive() {
          clearTimeout(idle);
          idle = setTimeout(abort, IDLE_TIMEOUT);
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
      // A failed or broken connection is handled like one that ended.
    } finally {
      clearTimeout(idle);
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
