/** Bodies of HTTP answers, bounded: what the other side sends is not trusted to end. */

/** Reads a body of at most `maxBytes` (after decompression). Undefined when it is longer; rejects as the stream does. */
export async function readBody(response: Response, maxBytes: number): Promise<Buffer | undefined> {
  if (response.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    // Leaving the loop cancels the body, and with it the connection.
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** A URL under a base that may have a path of its own; `path` begins with `/`. The base's query is kept. */
export function urlUnder(base: string, path: string): URL {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  return url;
}
