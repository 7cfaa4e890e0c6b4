// Reads server-sent events out of a response. EventSource would do it too, but tells neither the status of a refusal
// nor that heartbeats have ceased to come, and so cannot know that a connection is dead.

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {{event: (name: string, data: string) => void, retry: (ms: number) => void, alive: () => void}} to
 */
export async function read(body, to) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let name = "message";
  /** @type {string[]} */
  let data = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    to.alive();
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, field, text] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (line === "") {
        if (data.length) to.event(name, data.join("\n"));
        name = "message";
        data = [];
      } else if (field === "event") name = text;
      else if (field === "data") data.push(text);
      else if (field === "retry" && /^\d+$/.test(text)) to.retry(Number(text));
    }
  }
}
