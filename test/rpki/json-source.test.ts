import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type JsonPlace, JsonSource } from '../../src/rpki/json/json-source.ts';
import { RpkiScope } from '../../src/rpki/scope.ts';
import type { RpkiResult } from '../../src/rpki/source-state.ts';
import { ValidatedData } from '../../src/rpki/validated-data.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { until } from '../support/patience.ts';
import { prefixOf } from './vrp-world.ts';

const SCOPE = new RpkiScope([prefixOf('192.0.2.0/24')]);
const MINUTE_MS = 60_000;
const INTERVAL_MS = 10 * MINUTE_MS;
const MAX_AGE_MS = 60 * MINUTE_MS;

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A validator that answers as the test says, one answer after the other; the last one stays. */
async function validator(...answers: readonly ((response: ServerResponse) => void)[]) {
  const asked: IncomingHttpHeaders[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.headers);
    answers[Math.min(asked.length, answers.length) - 1](response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/json` };
}

function sourceOf(place: JsonPlace, timers = new ManualTimers()) {
  const log = new RecordingLogger();
  const source = new JsonSource({
    ...{ place, intervalMs: INTERVAL_MS, maxAgeMs: MAX_AGE_MS, scope: SCOPE, timers, name: '0', log },
    ...{ userAgent: 'test', unixMs: () => timers.now() },
  });
  cleanups.push(() => source.stop());
  const count = () => Object.values(source.state.results).reduce((sum, n) => sum + n, 0);
  /** Waits until so many readings are over and the next one is planned. */
  const readings = (n: number) =>
    until(() => {
      expect(count()).toBe(n);
      expect(timers.nextInMs).toBeDefined();
    });
  const results = () =>
    Object.fromEntries(Object.entries(source.state.results).filter(([, n]) => n > 0)) as Partial<
      Record<RpkiResult, number>
    >;
  return { source, state: source.state, timers, log, readings, results };
}

/** One VRP for each AS. */
const body = (asns: readonly number[], generatedMs: number) =>
  JSON.stringify({
    metadata: { generated: generatedMs / 1_000 },
    roas: asns.map((asn) => ({ prefix: '192.0.2.0/24', asn, maxLength: 24, ta: 'ripe' })),
  });
const answer =
  (text: string | Buffer, headers: Record<string, string> = {}, status = 200) =>
  (response: ServerResponse) => {
    response.writeHead(status, headers);
    response.end(text);
  };

const START_MS = new ManualTimers().now();

describe('over HTTP', () => {
  it('is read at the interval, and only asked for what is new', async () => {
    const { asked, url } = await validator(
      answer(body([1, 2], START_MS), { etag: '"1-1"', 'last-modified': new Date(START_MS).toUTCString() }),
      answer('', { etag: '"1-1"', 'last-modified': new Date(START_MS + INTERVAL_MS).toUTCString() }, 304),
      answer(body([2, 3], START_MS + INTERVAL_MS), { etag: '"1-2"' }),
    );
    const { source, state, timers, readings, results } = sourceOf({ kind: 'url', url });
    source.start();
    await readings(1);
    expect(results()).toEqual({ success: 1 });
    expect([state.isUp, state.dataAtMs, state.data?.total]).toEqual([true, START_MS, 2]);
    expect(asked[0]['if-none-match']).toBeUndefined();

    timers.advance(INTERVAL_MS);
    await readings(2);
    expect(results()).toEqual({ success: 1, unchanged: 1 });
    expect(asked[1]['if-none-match']).toBe('"1-1"');
    expect(asked[1]['if-modified-since']).toBe(new Date(START_MS).toUTCString());
    // The validator has run since: its 304 says when, the body of before does not.
    expect(state.dataAtMs).toBe(START_MS + INTERVAL_MS);

    timers.advance(INTERVAL_MS);
    await readings(3);
    expect(state.changes).toEqual({ vrp_added: 1, vrp_removed: 1, aspa_added: 0, aspa_changed: 0, aspa_removed: 0 });
    expect(results()).toEqual({ success: 2, unchanged: 1 });
  });

  it('gzip is read, in chunks that come one by one', async () => {
    const { asked, url } = await validator((response) => {
      const bytes = gzipSync(body([1], START_MS));
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.write(bytes.subarray(0, 20));
      response.end(bytes.subarray(20));
    });
    const { source, state, readings } = sourceOf({ kind: 'url', url });
    source.start();
    await readings(1);
    expect(state.data?.vrps.size).toBe(1);
    expect(asked[0]['accept-encoding']).toContain('gzip');
  });

  it.each<readonly [string, (response: ServerResponse) => void, RpkiResult]>([
    ['an error', answer('Initial validation ongoing. Please wait.', {}, 503), 'unavailable'],
    ['another page', answer('', { location: '/login' }, 302), 'unavailable'],
    ['an empty set', answer('{"roas":[]}'), 'empty'],
    ['no JSON', answer('<html>'), 'unreadable'],
    ['other JSON', answer('{}'), 'unreadable'],
    ['half of it', answer(body([1, 2], START_MS).slice(0, 80)), 'truncated'],
    ['too much for one prefix', answer(body([...Array(1_025).keys()], START_MS)), 'too_large'],
    ['what is no gzip', answer('nonsense', { 'content-encoding': 'gzip' }), 'unavailable'],
    [
      'a connection that breaks',
      (response) => {
        response.writeHead(200, { 'content-length': '5000' });
        response.write(body([1, 2], START_MS), () => response.destroy());
      },
      'truncated',
    ],
  ])('%s: what was read before is kept, and it is asked again soon', async (_, wrong, result) => {
    const { url } = await validator(answer(body([1, 2], START_MS)), wrong, wrong, answer(body([1, 2, 3], START_MS)));
    const { source, state, timers, log, readings, results } = sourceOf({ kind: 'url', url });
    source.start();
    await readings(1);
    timers.advance(INTERVAL_MS);
    await readings(2);
    expect(results()).toEqual({ success: 1, [result]: 1 });
    expect([state.isUp, state.data?.total, state.isUsable(timers.now())]).toEqual([false, 2, true]);
    timers.advance(MINUTE_MS);
    await readings(3);
    // Said once, and without the URL.
    const warnings = log.lines.filter(({ level }) => level === 'warn');
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(warnings)).not.toContain('127.0.0.1');
    timers.advance(MINUTE_MS);
    await readings(4);
    expect([state.isUp, state.data?.total]).toEqual([true, 3]);
  });

  it('a server that hangs is given up after a minute without a byte', async () => {
    let begun = false;
    const { url } = await validator((response) => {
      response.writeHead(200);
      response.write('{"roas":[', () => {
        begun = true;
      });
    });
    const { source, timers, readings, results } = sourceOf({ kind: 'url', url });
    source.start();
    await until(() => expect(begun).toBe(true));
    timers.advance(2 * MINUTE_MS);
    await readings(1);
    expect(results()).toEqual({ timeout: 1 });
  });

  it('data that is too old is not used, and one made in the future is not newer than now', async () => {
    const { url } = await validator(
      answer(body([1], START_MS - MAX_AGE_MS + MINUTE_MS)),
      answer(body([1], START_MS + 1e9)),
    );
    const { source, state, timers, readings } = sourceOf({ kind: 'url', url });
    source.start();
    await readings(1);
    expect(state.isUsable(timers.now())).toBe(true);
    expect(state.isUsable(timers.now() + MINUTE_MS)).toBe(false);
    timers.advance(INTERVAL_MS);
    await readings(2);
    expect(state.dataAtMs).toBe(timers.now());
  });

  it('other monitored prefixes: all is read again at once', async () => {
    const both = JSON.stringify({ roas: ['192.0.2.0/24', '198.51.100.0/24'].map((prefix) => ({ prefix, asn: 1 })) });
    const { asked, url } = await validator(answer(both, { etag: '"1"' }));
    const { source, state, readings } = sourceOf({ kind: 'url', url });
    source.start();
    await readings(1);
    expect(state.data?.vrps.size).toBe(1);
    const scope = new RpkiScope([prefixOf('192.0.2.0/24'), prefixOf('198.51.100.0/24')]);
    source.watch(scope);
    await readings(2);
    expect(asked[1]['if-none-match']).toBeUndefined();
    expect([state.data?.vrps.size, state.data?.vrps.scope, state.changes.vrp_added]).toEqual([2, scope, 0]);
  });
});

describe('a file', () => {
  it('is read when it has changed, and its time is that of the data', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rpki-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'vrps.json');
    const { source, state, timers, readings, results } = sourceOf({ kind: 'file', path });
    source.start();
    await readings(1);
    expect(results()).toEqual({ unavailable: 1 });
    const write = (asns: readonly number[], atMs: number) => {
      writeFileSync(path, JSON.stringify(asns.map((asn) => ({ prefix: '192.0.2.0/24', asn }))));
      utimesSync(path, atMs / 1_000, atMs / 1_000);
    };
    write([1], START_MS - MINUTE_MS);
    timers.advance(MINUTE_MS);
    await readings(2);
    expect([state.data?.total, state.dataAtMs]).toEqual([1, START_MS - MINUTE_MS]);
    timers.advance(INTERVAL_MS);
    await readings(3);
    expect(results()).toEqual({ unavailable: 1, success: 1, unchanged: 1 });
    // Nobody has written it since: it grows old.
    expect(state.dataAtMs).toBe(START_MS - MINUTE_MS);
    write([1, 2], START_MS);
    timers.advance(INTERVAL_MS);
    await readings(4);
    expect(state.data?.total).toBe(2);
  });

  it.each([
    ['a pipe that nobody writes to', pipe],
    ['a device', () => '/dev/zero'],
  ])('that is %s is not waited for', async (_, path) => {
    const { source, log, readings, results } = sourceOf({ kind: 'file', path: path() });
    source.start();
    await readings(1);
    expect(results()).toEqual({ unavailable: 1 });
    expect(log.values('reason')).toEqual(['it is a pipe or device, expected a regular file']);
    await source.stop();
  });
});

function pipe(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rpki-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  return join(folder, 'pipe');
}

describe('several sources', () => {
  it('the first usable one answers', async () => {
    const first = await validator(answer('', {}, 503), answer(body([1], START_MS)), answer('', {}, 503));
    const second = await validator(answer(body([2, 3], START_MS)));
    const timers = new ManualTimers();
    const [a, b] = [first, second].map(({ url }) => sourceOf({ kind: 'url', url }, timers));
    const validated = new ValidatedData([], () => [a.source, b.source]);
    expect(validated.usable(timers.now())).toBeUndefined();
    validated.start();
    await a.readings(1);
    await b.readings(1);
    expect(validated.usable(timers.now())?.place).toBe(1);
    const { edition } = validated;
    expect(validated.usable(timers.now())?.data.total).toBe(2);
    expect(validated.edition).toBe(edition);
    timers.advance(MINUTE_MS);
    await a.readings(2);
    expect(validated.usable(timers.now())?.place).toBe(0);
    expect(validated.edition).toBeGreaterThan(edition);
    expect(validated.usable(START_MS + MAX_AGE_MS)).toBeUndefined();
    await validated.stop();
  });
});
