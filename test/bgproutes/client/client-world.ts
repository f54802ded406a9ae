/** A client against a simulator without a life of its own: what is said is said by the test. */
import { afterEach } from 'vitest';
import type { LiveMessage } from '../../../src/bgp/live-message.ts';
import { BgproutesLiveClient, type BgproutesLiveClientOptions } from '../../../src/bgproutes/client/client.ts';
import type { ClientEvent } from '../../../src/bgproutes/client/events.ts';
import type { Simulator, SimulatorOptions } from '../../../src/simulator/contract.ts';
import { EMPTY_SCENARIO } from '../../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';

export const KEY = 'KEY-0123456789';
export const P1 = '192.23.62.0/24';
export const P2 = '2a06:3040:10::/48';

export const BGP_VP = { protocol: 'bgp', asn: 3333, ip: '193.0.0.56' } as const;
export const BMP_VP = {
  protocol: 'bmp',
  asn: 64501,
  ip: '2001:db8::9',
  parent: { asn: 64500, ip: '192.0.2.1' },
  source: 'bgproutes.io',
} as const;

export const ROUTE = {
  asPath: '3333 1103 64500',
  communities: '3333:100 64500:1:2',
  nextHop: '193.0.0.56',
  originAttribute: 'IGP',
} as const;

/** Short times; the waits after a break and after a refusal are far enough apart to tell one from the other. */
export const QUICK = {
  settleMs: 20,
  backoff: { baseMs: 10, maxMs: 20 },
  refusalBackoff: { floorMs: 300, baseMs: 301, maxMs: 301 },
} as const;

export const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export async function simulate(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const simulator = await startSimulator({ apiKeys: [KEY], scenario: EMPTY_SCENARIO, ...options });
  cleanups.push(() => simulator.stop());
  return simulator;
}

export function connect(
  simulator: Pick<Simulator, 'url' | 'websocketUrl'>,
  options: Partial<BgproutesLiveClientOptions> = {},
): BgproutesLiveClient {
  const client = new BgproutesLiveClient({
    apiKey: KEY,
    websocketUrl: simulator.websocketUrl,
    liveManagerUrl: simulator.url,
    dataApiUrl: simulator.url,
    connection: QUICK,
    ...options,
  });
  cleanups.push(() => client.close());
  return client;
}

export type Item = LiveMessage | ClientEvent;

/** The next item; fails when the iteration is over. */
export async function take<T>(iterator: AsyncIterator<T>): Promise<T> {
  const { done, value } = await iterator.next();
  if (done === true) throw new Error('the iteration is over');
  return value;
}

/** Connected: what is said from now on is heard. */
export async function openStream(client: BgproutesLiveClient, signal?: AbortSignal): Promise<AsyncIterator<Item>> {
  const iterator = client.messages({ events: true, ...(signal === undefined ? {} : { signal }) });
  const first = await take(iterator);
  if (first.type !== 'connected') throw new Error(`not connected but ${JSON.stringify(first)}`);
  return iterator;
}

/** What an error says, with everything that hangs on it: for looking for a key. */
export function everythingOf(error: unknown): string {
  const texts: string[] = [];
  for (let current = error; current instanceof Error; current = current.cause) {
    texts.push(String(current), current.stack ?? '', JSON.stringify(Object.entries(current)));
  }
  return texts.join('\n');
}

export async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('did not fail');
}
