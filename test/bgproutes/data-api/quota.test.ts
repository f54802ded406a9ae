import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Quota, type QuotaLimits } from '../../../src/bgproutes/data-api/quota.ts';
import { until } from '../../support/patience.ts';
import { envelope, HOUR, world } from './data-api-world.ts';

describe('the quota', () => {
  it.each([
    ['requests', { requests: 3 }, {}],
    ['server time', { serverMs: 30 }, { seconds: 0.01 }],
    ['bytes', { bytes: 30 }, { bytes: 10 }],
  ])('of %s is waited for', async (_name, quota, cost) => {
    const { client, server, timers } = await world(
      (_, response) => {
        timers.advance(10); // the time that the server says it took
        response.end(envelope({ bgp: [] }, cost));
      },
      { quota },
    );
    for (let i = 0; i < 3; i++) await client.vantagePoints();
    const fourth = client.vantagePoints();
    await until(() => expect(timers.nextInMs).toBe(HOUR - 30));
    timers.advance(HOUR - 31);
    expect(server.requests.length).toBe(3);
    timers.advance(1);
    await fourth;
    expect(server.requests.length).toBe(4);
  });

  it.each([
    ['requests', { requests: 10 }, {}],
    ['server time', { serverMs: 100 }, { seconds: 0.01 }],
    ['bytes', { bytes: 100 }, { bytes: 10 }],
  ])('of %s is warned of once when four fifths of it are used, and again in another hour', async (_, quota, cost) => {
    const { client, timers, log } = await world(
      (_request, response) => {
        timers.advance(10);
        response.end(envelope({ bgp: [] }, cost));
      },
      { quota },
    );
    for (const _hour of [1, 2]) {
      for (let i = 0; i < 7; i++) await client.vantagePoints();
      expect(log.lines).toEqual([]);
      for (let i = 0; i < 2; i++) await client.vantagePoints();
      expect(log.lines.splice(0).map(({ level, message, fields }) => [level, message, fields.used_percent])).toEqual([
        ['warn', 'most of the hourly quota of the Data API is used', 80],
      ]);
      timers.advance(HOUR);
    }
  });

  it('has its defaults where a limit is there but undefined', async () => {
    const quota = { requests: 1, serverMs: undefined, bytes: undefined } as Partial<QuotaLimits>;
    const { client, timers } = await world((_, response) => void response.end(envelope({ bgp: [] })), { quota });
    await client.vantagePoints();
    const stop = new AbortController();
    const second = client.vantagePoints({ signal: stop.signal }).catch((error: unknown) => error);
    await until(() => expect(timers.nextInMs).toBe(HOUR));
    stop.abort('enough');
    expect(await second).toBe('enough');
  });

  it('is charged with what the envelope says, as far as that can be', async () => {
    const bodies = [
      envelope({ bgp: [] }, { seconds: 0.02, bytes: '100' }),
      envelope({ bgp: [] }, { seconds: 1e300, bytes: 1e300 }),
      envelope({ bgp: [] }, { seconds: -5, bytes: -5 }),
      envelope({ bgp: [] }, { seconds: {}, bytes: null }),
      '{"data":{"bgp":[]}}',
    ];
    const { client, timers } = await world((_, response, count) => {
      timers.advance(100);
      response.end(bodies[count - 1]);
    });
    const used = [];
    for (const _ of bodies) {
      await client.vantagePoints();
      used.push({ ...client.used });
    }
    expect(used.map(({ serverMs }) => serverMs)).toEqual([20, 120, 120, 120, 120]);
    const twice = 2 * bodies[1].length;
    expect(used.map(({ bytes }) => bytes)).toEqual([100, 100 + twice, 100 + twice, 100 + twice, 100 + twice + 19]);
    timers.advance(HOUR);
    expect(client.used).toEqual({ requests: 0, serverMs: 0, bytes: 0 });
  });

  it('lets no more through in any hour, and no later than it must', () => {
    const request = fc.record({ afterMs: fc.nat(40), serverMs: fc.nat(30), bytes: fc.nat(30) });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
        const limits = { requests: 5, serverMs: 60, bytes: 60, windowMs: 100 };
        const quota = new Quota(limits);
        const made: { atMs: number; serverMs: number; bytes: number }[] = [];
        let nowMs = 0;
        const inWindow = (atMs: number) => made.filter((one) => one.atMs + limits.windowMs > atMs && one.atMs <= atMs);
        const isFull = (atMs: number) => {
          const window = inWindow(atMs);
          const sum = (key: 'serverMs' | 'bytes') => window.reduce((total, one) => total + one[key], 0);
          return window.length >= limits.requests || sum('serverMs') >= limits.serverMs || sum('bytes') >= limits.bytes;
        };
        for (const { afterMs, serverMs, bytes } of requests) {
          nowMs += afterMs;
          const waitMs = quota.waitMs(nowMs);
          expect(waitMs > 0).toBe(isFull(nowMs));
          if (waitMs > 0) expect(isFull(nowMs + waitMs - 1)).toBe(true);
          nowMs += waitMs;
          expect(isFull(nowMs)).toBe(false);
          expect(quota.waitMs(nowMs)).toBe(0);
          quota.start(nowMs)(serverMs, bytes);
          made.push({ atMs: nowMs, serverMs, bytes });
        }
      }),
    );
  });
});
