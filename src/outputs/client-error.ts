/** The answer to bytes that are no request. */
import type { Socket } from 'node:net';
import type { HttpCutReason } from '../metrics/figures/exporter-figures.ts';

/** For a client to take the refusal of what it sent, before its connection ends. */
const REFUSAL_MS = 1_000;

/** Answers a client whose bytes are no HTTP, too many or too slow to be a request, and ends its connection. */
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
