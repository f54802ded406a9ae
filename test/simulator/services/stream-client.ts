/** A plain client for tests: what a subscriber of the real services would do, and nothing cleverer. */
import { WebSocket } from 'ws';
import type { Simulator } from '../../../src/simulator/contract.ts';
import { PATIENCE_MS } from '../../support/patience.ts';

export interface StreamClient {
  readonly socket: WebSocket;
  /** Texts of the frames, as they came. */
  readonly frames: string[];
  /** The frames that are JSON. */
  messages(): Record<string, unknown>[];
  /** Codes of the errors that ws found. */
  readonly errors: (string | undefined)[];
  /** Close code, once closed. */
  readonly closed: Promise<number>;
  isClosed(): boolean;
}

/** Resolves when the connection is open (a refusal comes after that). */
export async function connect(
  simulator: Simulator,
  key: string,
  options: { deflate?: boolean } = {},
): Promise<StreamClient> {
  const socket = new WebSocket(`${simulator.websocketUrl}/?api_key=${encodeURIComponent(key)}`, {
    perMessageDeflate: options.deflate ?? false,
    maxPayload: 1024 * 1024,
  });
  const frames: string[] = [];
  let isClosed = false;
  socket.on('message', (data) => frames.push(data.toString()));
  const errors: (string | undefined)[] = [];
  socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code) => {
      isClosed = true;
      resolve(code);
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    socket,
    frames,
    errors,
    messages: () =>
      frames.flatMap((frame) => {
        try {
          return [JSON.parse(frame) as Record<string, unknown>];
        } catch {
          return [];
        }
      }),
    closed,
    isClosed: () => isClosed,
  };
}

/** Resolves with status and text of the Live Manager's answer. */
export async function associate(
  simulator: Simulator,
  key: string,
  prefixes: string,
): Promise<{ status: number; text: string }> {
  const query = new URLSearchParams({ api_key: key, new_pfxs: prefixes });
  const response = await fetch(`${simulator.url}/update_live_prefixes?${query}`);
  return { status: response.status, text: (await response.text()).trim() };
}

export async function subscribe(simulator: Simulator, key: string, prefixes: string): Promise<StreamClient> {
  const { status, text } = await associate(simulator, key, prefixes);
  if (status !== 200) throw new Error(text);
  return connect(simulator, key);
}

// biome-ignore lint/suspicious/noExplicitAny: answers of a foreign service, looked at by tests
export type Json = any;

/** One request to the Data API; `parameters` go into the query, or with `post` into a JSON body. */
export async function query(
  simulator: Simulator,
  key: string,
  endpoint: string,
  parameters: Record<string, unknown> = {},
  options: { post?: boolean } = {},
): Promise<{ status: number; body: Json }> {
  const texts = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
  const url = `${simulator.url}/v1/${endpoint}${options.post ? '' : `?${new URLSearchParams(texts)}`}`;
  const response = await fetch(url, {
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    ...(options.post ? { method: 'POST', body: JSON.stringify(parameters) } : {}),
  });
  return { status: response.status, body: await response.json() };
}

/** UTC, to the second, as the Data API wants it. */
export function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

/** Resolves when the condition holds; rejects after `PATIENCE_MS`. */
export async function until(condition: () => boolean, what = 'condition'): Promise<void> {
  const giveUpAtMs = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > giveUpAtMs) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
