/** A source between two real servers: a WebSocket server that streams, an HTTP server that associates. */
import type { ServerResponse } from 'node:http';
import { afterEach, expect } from 'vitest';
import { BgproutesSource } from '../../../src/bgproutes/live/source.ts';
import type { BgproutesSourceOptions } from '../../../src/bgproutes/live/source-options.ts';
import { type HttpTestServer, httpServer, type TestRequest } from '../../http/http-test-server.ts';
import { ManualTimers } from '../../stream/manual-timers.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { type TestWebSocketServer, webSocketServer } from '../../stream/test-servers.ts';
import { until } from '../../support/patience.ts';

export const HOUR = 3_600_000;
export const MINUTE = 60_000;
export const P1 = '192.23.62.0/24';
export const P2 = '2a06:3040:10::/48';

export const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export interface World {
  readonly source: BgproutesSource;
  readonly timers: ManualTimers;
  readonly log: RecordingLogger;
  readonly stream: TestWebSocketServer;
  readonly manager: HttpTestServer;
  /** What the listener heard, in order: `0 connected`, `0 refused: text`, `0 frame {…}`. */
  readonly heard: string[];
  readonly start: () => void;
  /** Waits for a condition, in which the clock moves by nothing: what is due happens, nothing else. */
  readonly until: (check: () => void) => Promise<void>;
  /** What the Live Manager answers; may be replaced. */
  answer: (request: TestRequest, response: ServerResponse) => void;
  /** Prefix lists that the Live Manager was asked for, a key at a time. */
  readonly asked: (key: string) => string[];
}

export const accept = (_: TestRequest, response: ServerResponse) => void response.end('ok');
export const refuse = (_: TestRequest, response: ServerResponse) => void response.writeHead(403).end('Invalid API key');
export const fail = (_: TestRequest, response: ServerResponse) => void response.writeHead(503).end();

export async function world(
  sessions: BgproutesSourceOptions['sessions'],
  more: Partial<BgproutesSourceOptions> = {},
  stream?: TestWebSocketServer,
): Promise<World> {
  const timers = new ManualTimers();
  const log = new RecordingLogger();
  const heard: string[] = [];
  const streamServer = stream ?? (await webSocketServer());
  cleanups.push(() => streamServer.close());
  const manager = await httpServer((request, response) => result.answer(request, response));
  cleanups.push(() => manager.close());
  const source = new BgproutesSource({
    websocketUrl: streamServer.url.origin,
    liveManagerUrl: manager.url,
    sessions,
    // Pings would be late: the clock leaps, the network does not.
    connection: { settleMs: 0, pingIntervalMs: 1e12, handshakeTimeoutMs: 1e12 },
    association: { timeoutMs: 1e12 },
    timers,
    log,
    ...more,
  });
  cleanups.push(() => source.stop());
  const result: World = {
    source,
    timers,
    log,
    stream: streamServer,
    manager,
    heard,
    answer: accept,
    start: () =>
      source.start({
        frames: (session, frames) => void heard.push(...frames.map((frame) => `${session} frame ${frame}`)),
        connected: (session) => heard.push(`${session} connected`),
        disconnected: (session, reason, _atMs, detail) =>
          heard.push(`${session} ${reason}${detail === '' ? '' : `: ${detail}`}`),
      }),
    until: (check) =>
      until(() => {
        timers.advance(0);
        check();
      }),
    asked: (key) =>
      manager.requests
        .filter((request) => request.url.searchParams.get('api_key') === key)
        .map((request) => request.url.searchParams.get('new_pfxs') ?? ''),
  };
  return result;
}

/** A world whose one session is connected. */
export async function connectedWorld(more: Partial<BgproutesSourceOptions> = {}): Promise<World> {
  const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }], more);
  w.start();
  await w.until(() => expect(w.heard).toEqual(['0 connected']));
  return w;
}
