/**
 * One HTTP request and its whole answer. It uses node:http: `fetch` takes several times as long for each request, and its
 * first call loads another HTTP client, which took a seventh of the program's start.
 */
import {
  type Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { createUnzip } from 'node:zlib';
import { ForwardAgent } from './proxy-agents.ts';
import { sharedAgent, trustedCas } from './ways-out.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** Most bytes of the answer's body after decompression, by its status. */
  readonly maxBytes: (status: number) => number;
  readonly signal: AbortSignal;
  /** The caller's own agent, with connections and certificates of its own. Default: the agent that all requests share. */
  readonly agent?: HttpAgent | undefined;
  /** Certificates and whom to trust over TLS. Default: as ways-out.ts says. */
  readonly secureContext?: SecureContext | undefined;
  /** Called when all of the request has left, so that the server may have taken it. */
  readonly onSent?: () => void;
  /**
   * True: a body that is too long, breaks off, does not end in time or cannot be decompressed is given as far as it came,
   * because the status alone says enough. Default false: too long is `undefined`, the others reject.
   */
  readonly cutBody?: boolean;
  /**
   * Takes the body, decompressed, while it arrives; false: no more of it is wanted, and the connection is closed. No more
   * is read until a promise is settled. By the status of the answer; undefined: the body is kept and given, as without this.
   */
  readonly take?: (status: number) => ((chunk: Buffer) => boolean | Promise<boolean>) | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** By lower case name. */
  readonly headers: IncomingHttpHeaders;
  /** Undefined: longer than allowed, or taken by `take`. */
  readonly body: Buffer | undefined;
}

/**
 * Always settles: with the answer, or at the latest when the signal aborts. Redirects are not followed: a key must not go to
 * another host. Rejects with what the network says, with an Error for an answer that cannot be read, and with an AbortError.
 */
export async function request(url: URL, asked: HttpRequest): Promise<HttpAnswer> {
  const response = await answerTo(url, asked);
  try {
    const status = response.statusCode ?? 0;
    const take = asked.take?.(status);
    if (take !== undefined) {
      // Leaving the loop destroys the stream, and with it the connection.
      for await (const chunk of decompressed(response) as AsyncIterable<Buffer>) if (!(await take(chunk))) break;
      return { status, headers: response.headers, body: undefined };
    }
    const maxBytes = asked.maxBytes(status);
    const body =
      asked.cutBody === true ? await readCut(response, maxBytes) : await readBody(decompressed(response), maxBytes);
    return { status, headers: response.headers, body };
  } finally {
    if (!response.complete) response.destroy();
  }
}

function answerTo(url: URL, asked: HttpRequest): Promise<IncomingMessage> {
  const { method, body, signal, agent, onSent } = asked;
  const headers: Record<string, string> = { 'accept-encoding': 'gzip, deflate', ...asked.headers };
  if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body));
  const isSecure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const way = agent ?? sharedAgent(url);
    const secureContext = isSecure ? (asked.secureContext ?? trustedCas()) : undefined;
    const options = { method, headers, signal, agent: way, ...(secureContext === undefined ? {} : { secureContext }) };
    const sent = (isSecure ? httpsRequest : httpRequest)(url, options, (response) => {
      if (response.statusCode === 407 && way instanceof ForwardAgent) sent.destroy(way.proxy407);
      else resolve(response);
    });
    sent.on('error', reject);
    // Also fires without 'error', for instance when the server answers 101 Switching Protocols. After an answer has come,
    // this reject has no effect.
    sent.on('close', () => reject(new Error('the connection was closed without an answer')));
    if (onSent !== undefined) sent.on('finish', onSent);
    sent.end(body);
  });
}

function decompressed(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return response;
  if (!['gzip', 'x-gzip', 'deflate'].includes(encoding))
    throw new Error('an answer in an encoding that was not asked for');
  // An error of either ends the reading of the other.
  return pipeline(response, createUnzip(), () => {});
}

/** At most so many bytes; undefined when there are more. */
async function readBody(stream: Readable, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Reads a body up to its end or to `maxBytes`. */
async function readCut(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of decompressed(response) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= maxBytes) break;
    }
  } catch {
    // It broke off, or is not what its headers say.
  }
  return Buffer.concat(chunks, Math.min(size, maxBytes));
}
