/** One POST to a collector, over a connection that is kept. */
import http from 'node:http';
import https from 'node:https';
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from '../../config/otlp-tls.ts';

export type PostResult =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: http.IncomingHttpHeaders;
      /** At most `MAX_ANSWER_BYTES`; what is longer is cut, as is an answer that broke off. */
      readonly body: Buffer;
    }
  | {
      readonly kind: 'none';
      readonly error: NodeJS.ErrnoException;
      /** Whether all of the request had left, so that the server may have taken it. */
      readonly sent: boolean;
    };

/** An answer is a few bytes, or an error text. */
export const MAX_ANSWER_BYTES = 65_536;

export class HttpPost {
  readonly #url: URL;
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;

  /** @throws when the TLS files are no certificates or keys */
  constructor(url: URL, tls: TlsFiles) {
    this.#url = url;
    // One request at a time, so one connection.
    if (url.protocol === 'https:') {
      // Read here, so that a file that is no certificate is refused at the start, not at the first export.
      const own = Object.values(tls).some((content) => content !== undefined);
      const secureContext = own ? createSecureContext(tls) : undefined;
      this.#agent = new https.Agent({ keepAlive: true, maxSockets: 1, secureContext });
      this.#request = https.request;
    } else {
      this.#agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      this.#request = http.request;
    }
  }

  /** Never rejects. Ends when the signal aborts, whatever the server does. */
  send(body: Uint8Array, headers: http.OutgoingHttpHeaders, signal: AbortSignal): Promise<PostResult> {
    return new Promise((resolve) => {
      let sent = false;
      const options = {
        method: 'POST',
        agent: this.#agent,
        signal,
        headers: { ...headers, 'content-length': body.length },
      };
      const request = this.#request(this.#url, options, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        const answer = (): void => {
          const { statusCode: status = 0, headers: answerHeaders } = response;
          resolve({ kind: 'answer', status, headers: answerHeaders, body: Buffer.concat(chunks) });
        };
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk.subarray(0, MAX_ANSWER_BYTES - size));
          size += chunk.length;
          if (size < MAX_ANSWER_BYTES) return;
          answer();
          request.destroy();
        });
        // Whichever comes first; the others are then too late to matter. A broken answer still has a status.
        response.on('end', answer);
        response.on('error', answer);
        response.on('close', answer);
      });
      request.on('finish', () => {
        sent = true;
      });
      request.on('error', (error) => resolve({ kind: 'none', error, sent }));
      request.end(body);
    });
  }

  /** Closes the connection that was kept. */
  close(): void {
    this.#agent.destroy();
  }
}
