/** A Data API client and a real server that answers it as the test wants. */
import type { ServerResponse } from 'node:http';
import { afterEach } from 'vitest';
import { DataApiClient, type DataApiOptions } from '../../../src/bgproutes/data-api/client.ts';
import type { RibParams } from '../../../src/bgproutes/data-api/types.ts';
import type { ListedVp, RibRow } from '../../../src/stream/history.ts';
import { type HttpTestServer, httpServer, type TestRequest } from '../../http/http-test-server.ts';
import { ManualTimers } from '../../stream/manual-timers.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';

export const KEY = 'rtgi34-eo453igjeoi';
export const P1 = '192.23.62.0/24';
export const P2 = '2a06:3040:10::/48';
export const HOUR = 3_600_000;

const servers: HttpTestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

export type Answer = (request: TestRequest, response: ServerResponse, count: number) => void | Promise<void>;

export interface World {
  readonly client: DataApiClient;
  readonly server: HttpTestServer;
  readonly timers: ManualTimers;
  readonly log: RecordingLogger;
  /** `endpoint result` of every attempt. */
  readonly results: string[];
}

export async function world(answer: Answer, more: Partial<DataApiOptions> = {}): Promise<World> {
  let count = 0;
  const server = await httpServer((request, response) => answer(request, response, ++count));
  servers.push(server);
  const timers = new ManualTimers();
  const log = new RecordingLogger();
  const results: string[] = [];
  const client = new DataApiClient({
    apiKey: KEY,
    baseUrl: server.url,
    timers,
    log,
    onRequest: (endpoint, result) => results.push(`${endpoint} ${result}`),
    ...more,
  });
  return { client, server, timers, log, results };
}

export const envelope = (data: unknown, more: object = {}) =>
  JSON.stringify({ seconds: 0.01, bytes: 10, info: null, data, ...more });
export const nothing = envelope({ bgp: {}, bmp: {} });
export const noVps = envelope({ bgp: [], bmp: [] });
export const says =
  (body: string, status = 200): Answer =>
  (_, response) =>
    void response.writeHead(status).end(body);

export const vps = (count: number): ListedVp[] =>
  Array.from({ length: count }, (_, i) => ({
    id: String(i + 1),
    vp: { protocol: 'bgp', asn: i + 1, ip: '192.0.2.1' },
  }));
export const BMP: ListedVp = {
  id: '9',
  vp: { protocol: 'bmp', asn: 5, ip: '192.0.2.9', parent: { asn: 6, ip: '192.0.2.8' } },
};

export async function rows(client: DataApiClient, params: Partial<RibParams> = {}): Promise<RibRow[]> {
  const found: RibRow[] = [];
  for await (const batch of client.rib({
    vps: vps(1),
    prefixes: [P1],
    dateMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    ...params,
  })) {
    found.push(...batch.rows);
  }
  return found;
}

export const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
