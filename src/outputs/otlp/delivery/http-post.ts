/** One POST to a collector, over a connection that is kept. */
import type { Agent as HttpAgent, IncomingHttpHeaders } from 'node:http';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TlsFiles } from '../../../config/otlp/otlp-tls.ts';
import { request } from '../../../http/http-request.ts';
import { newAgent } from '../../../http/ways-out.ts';

export type PostResult =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
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
  readonly #agent: HttpAgent;
  readonly #secureContext: SecureContext | undefined;

  /** @throws when the TLS files are not certificates or keys */
  constructor(url: URL, tls: TlsFiles) {
    this.#url = url;
    // Read here, so that a file that is no certificate is refused at the start, not at the first export.
    const own = url.protocol === 'https:' && Object.values(tls).some((content) => content !== undefined);
    this.#secureContext = own ? createSecureContext(tls) : undefined;
    // One request at a time, so one connection.
    this.#agent = newAgent(url, { keepAlive: true, maxSockets: 1 });
  }

  /** The port of the URL; empty for the scheme's own. */
  get port(): string {
    return this.#url.port;
  }

  /** Never rejects. Ends when the signal aborts, whatever the server does. */
  async send(body: Uint8Array, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<PostResult> {
    let sent = false;
    try {
      const answer = await request(this.#url, {
        method: 'POST',
        headers,
        body,
        maxBytes: () => MAX_ANSWER_BYTES,
        cutBody: true,
        signal,
        agent: this.#agent,
        secureContext: this.#secureContext,
        onSent: () => {
          sent = true;
        },
      });
      return { kind: 'answer', status: answer.status, headers: answer.headers, body: answer.body ?? Buffer.alloc(0) };
    } catch (error) {
      return { kind: 'none', error: error as NodeJS.ErrnoException, sent };
    }
  }

  /** Closes the connection that was kept. */
  close(): void {
    this.#agent.destroy();
  }
}
