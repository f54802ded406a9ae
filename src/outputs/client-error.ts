/** The answer to bytes that are not a request. */
import type { Socket } from 'node:net';
import type { HttpCutReason } from '../metrics/figures/exporter-figures.ts';

/** Time that a client has to read the refusal before its connection ends, ms. */
const REFUSAL_MS = 1_000;

/** Answers a client whose bytes are not HTTP, or are too many or too slow for a request, and ends its connection. */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  onCut: (reason: HttpCutReason) => void,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const isSlow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  onCut(isSlow ? 'slow_request' : 'bad_request');
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const status = isSlow ? '408 Request Timeout' : tooLarge;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );
  // A client that neither reads nor closes would keep its half of the connection for ever.
  const limit = setTimeout(() => socket.destroy(), REFUSAL_MS);
  limit.unref();
  socket.once('close', () => clearTimeout(limit));
}
