// Parses server-sent events from a response body. EventSource exposes neither the status of a failed request nor missed
// heartbeats, so it cannot detect a dead connection.

/**
 * Call the handlers for each event, each retry interval and each chunk received, until the body ends.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {{event: (name: string, data: string) => void, retry: (ms: number) => void, alive: () => void}} handlers
 */
export async function readEvents(body, handlers) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let name = "message";
  /** @type {string[]} */
  let data = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    handlers.alive();
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, field, text] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (line === "") {
        if (data.length) handlers.event(name, data.join("\n"));
        name = "message";
        data = [];
      } else if (field === "event") name = text;
      else if (field === "data") data.push(text);
      else if (field === "retry" && /^\d+$/.test(text)) handlers.retry(Number(text));
    }
  }
}
