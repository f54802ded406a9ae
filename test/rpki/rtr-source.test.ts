import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { RtrSource } from '../../src/rpki/rtr/rtr-source.ts';
import type { RpkiResult } from '../../src/rpki/source-state.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { makeCertificate } from '../support/certificates.ts';
import { until } from '../support/patience.ts';
import { EVERYTHING } from './vrp-world.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const MAX_AGE_MS = 6 * 3_600_000;
const VRP_A = '010400000000001401181800c00002000000fbf4';
const VRP_B = '010400000000001401181900c63364000000fbf5';
const UNSUPPORTED = '010a0004000000100000000000000000';
const response = '0103aaaa00000008';
/** Refresh 100 s, retry 20 s, expire 700 s. */
const end = (serial: number) => `0107aaaa00000018${serial.toString(16).padStart(8, '0')}0000006400000014000002bc`;

/** What a cache does with a query: sends bytes (hex), or something else with the connection. */
type Answer = string | ((socket: Socket) => void);

/** A cache that answers the queries of version 1 one after the other, and refuses version 2. */
class Cache {
  readonly queries: string[] = [];
  readonly answers: Answer[];
  readonly sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(answers: readonly Answer[], tls?: { readonly key: Buffer | string; readonly cert: Buffer | string }) {
    this.answers = [...answers];
    const serve = (socket: Socket): void => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('data', (bytes: Buffer) => {
        const query = bytes.toString('hex');
        if (query.startsWith('02')) {
          socket.end(Buffer.from(UNSUPPORTED, 'hex'));
          return;
        }
        this.queries.push(query);
        const answer = this.answers.shift();
        if (typeof answer === 'string') socket.write(Buffer.from(answer, 'hex'));
        else answer?.(socket);
      });
    };
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    cleanups.push(() => this.close());
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<unknown> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(resolve));
  }
}

async function world(answers: readonly Answer[], tls?: { key: string; cert: string; ca: string; host?: string }) {
  const cache = new Cache(answers, tls);
  const port = await cache.listen();
  const timers = new ManualTimers();
  const log = new RecordingLogger();
  const source = new RtrSource({
    ...{ host: tls?.host ?? '127.0.0.1', port, tls: tls && { ca: tls.ca }, maxAgeMs: MAX_AGE_MS, scope: EVERYTHING },
    ...{ timers, unixMs: () => timers.now(), name: '0', log },
  });
  cleanups.push(() => source.stop());
  const { state } = source;
  const results = () =>
    Object.fromEntries(Object.entries(state.results).filter(([, n]) => n > 0)) as Partial<Record<RpkiResult, number>>;
  /** Waits for these results, letting connections that are tried at once be tried. */
  const has = (expected: Partial<Record<RpkiResult, number>>) =>
    until(() => {
      if (timers.nextInMs === 0) timers.advance(0);
      expect(results()).toEqual(expected);
    });
  source.start();
  return { cache, source, state, timers, log, results, has, port };
}

/** The highest version is refused once. */
const REFUSED = { error_report: 1 } as const;

describe('a cache', () => {
  it('is read, asked again after its refresh time, and at once when it notifies', async () => {
    const { cache, state, timers, has, log } = await world([
      `${response}${VRP_A}${end(5)}`,
      `${response}${end(5)}`,
      `${response}${VRP_B}${end(6)}`,
    ]);
    await has({ ...REFUSED, success: 1 });
    expect([state.isUp, state.data?.total, state.dataAtMs]).toEqual([true, 1, timers.now()]);
    expect(log.values('vrps')).toEqual([1]);
    timers.advance(100_000);
    await has({ ...REFUSED, success: 1, unchanged: 1 });
    expect(cache.queries).toEqual(['0102000000000008', '0101aaaa0000000c00000005']);
    for (const socket of cache.sockets) socket.write(Buffer.from('0100aaaa0000000c00000006', 'hex'));
    await has({ ...REFUSED, success: 2, unchanged: 1 });
    expect([state.data?.total, state.changes.vrp_added]).toEqual([2, 1]);
  });

  it('that is gone is tried again; its data serves until it expires', async () => {
    const { cache, state, timers, has, results } = await world([`${response}${VRP_A}${end(5)}`]);
    await has({ ...REFUSED, success: 1 });
    const atMs = timers.now();
    await cache.close();
    await has({ ...REFUSED, success: 1, unavailable: 1 });
    expect([state.isUp, state.isUsable(timers.now())]).toEqual([false, true]);
    timers.advance(20_000);
    await has({ ...REFUSED, success: 1, unavailable: 2 });
    expect([state.isUsable(atMs + 699_000), state.isUsable(atMs + 700_000)]).toEqual([true, false]);
    expect(results().timeout).toBeUndefined();
  });

  it('that was restarted has a new session: all is read again', async () => {
    const { cache, state, timers, has } = await world([
      `${response}${VRP_A}${end(5)}`,
      '0103bbbb00000008',
      `0103bbbb00000008${VRP_B}${end(0).replace('aaaa', 'bbbb')}`,
    ]);
    await has({ ...REFUSED, success: 1 });
    timers.advance(100_000);
    await has({ ...REFUSED, success: 2, new_session: 1 });
    expect(cache.queries.at(-1)).toBe('0102000000000008');
    expect([state.data?.total, state.changes]).toMatchObject([1, { vrp_added: 1, vrp_removed: 1 }]);
  });

  it('that hangs is left after a minute', async () => {
    const { cache, state, timers, has } = await world([`${response}${VRP_A}${end(5)}`, response]);
    await has({ ...REFUSED, success: 1 });
    timers.advance(100_000);
    await until(() => expect(cache.queries).toHaveLength(2));
    timers.advance(60_000);
    await has({ ...REFUSED, success: 1, timeout: 1 });
    expect(state.data?.total).toBe(1);
    await until(() => expect(cache.sockets.size).toBe(0));
  });

  it('that floods with what never ends is left after a quarter of an hour, and gets no new data in', async () => {
    let goesOn = true;
    const { state, timers, has } = await world([
      `${response}${VRP_A}${end(5)}`,
      (socket) => {
        socket.write(Buffer.from(response, 'hex'));
        const pour = (): void => {
          if (goesOn)
            socket.write(Buffer.from('0109000000000020'.padEnd(64, '0').repeat(64), 'hex'), () => setImmediate(pour));
        };
        pour();
      },
    ]);
    cleanups.push(() => {
      goesOn = false;
    });
    await has({ ...REFUSED, success: 1 });
    timers.advance(100_000);
    // Bytes come all the time, so that the minute without any never passes.
    for (let i = 0; i < 16; i++) {
      const hasBytes = () => expect(timers.nextInMs).toBeGreaterThan(1_000);
      await until(hasBytes, 1);
      timers.advance(59_000);
    }
    await has({ ...REFUSED, success: 1, timeout: 1 });
    expect(state.data?.total).toBe(1);
  });

  it('that lies about lengths is told so', async () => {
    let told = '';
    const { has } = await world([
      (socket) => {
        socket.write(Buffer.from('0104000000000005', 'hex'));
        socket.on('data', (bytes: Buffer) => {
          told += bytes.toString('hex');
        });
      },
    ]);
    await has({ ...REFUSED, protocol_error: 1 });
    await until(() => expect(told.slice(0, 8)).toBe('010a0000'));
  });

  it('that has nothing yet is asked again', async () => {
    const { timers, has, log } = await world(['010a0002000000100000000000000000', `${response}${VRP_A}${end(5)}`]);
    await has({ ...REFUSED, no_data: 1 });
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    timers.advance(60_000);
    await has({ ...REFUSED, no_data: 1, success: 1 });
  });

  it('that fails in a way that another connection might mend is not asked without end', async () => {
    const { cache, timers, has } = await world(
      Array<string>(20).fill(`${response}${VRP_A}0107bbbb000000180000000500000064000000140000${'02bc'}`),
    );
    await has({ ...REFUSED, new_session: 3 });
    expect(cache.queries).toHaveLength(3);
    expect(timers.nextInMs).toBeGreaterThan(10_000);
  });

  it('is left in order at a stop, and no timer stays', async () => {
    const { cache, source, timers, has } = await world([`${response}${VRP_A}${end(5)}`]);
    await has({ ...REFUSED, success: 1 });
    await source.stop();
    await until(() => expect(cache.sockets.size).toBe(0));
    expect(timers.nextInMs).toBeUndefined();
  });
});

describe('over TLS', () => {
  it('a certificate of a known authority is trusted, another one is not', async () => {
    const { key, cert } = makeCertificate('cache');
    const known = await world([`${response}${VRP_A}${end(5)}`], { key, cert, ca: cert, host: 'localhost' });
    await known.has({ ...REFUSED, success: 1 });
    const unknown = await world([`${response}${VRP_A}${end(5)}`], {
      key,
      cert,
      ca: makeCertificate('another').cert,
      host: 'localhost',
    });
    await unknown.has({ unavailable: 1 });
    expect(String(unknown.log.values('reason')[0])).toContain('signed by nobody who is trusted');
  });
});
