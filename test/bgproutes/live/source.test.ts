import { describe, expect, it } from 'vitest';
import { BgproutesSource } from '../../../src/bgproutes/live/source.ts';
import { PrefixToAPIKeyError, StoppedError } from '../../../src/errors.ts';
import { gapMsAt } from '../../../src/stream/stream-health.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { type TestServer, tcpServer, upgradeByHand, webSocketServer } from '../../stream/test-servers.ts';
import { accept, cleanups, connectedWorld, fail, HOUR, MINUTE, P1, P2, refuse, world } from './source-world.ts';

describe('starting', () => {
  it('asks with a connection, associates the prefixes with the key, then connects with them', async () => {
    const order: string[] = [];
    const stream = await webSocketServer((client) => {
      order.push('connect');
      client.send('{"n":1}');
    });
    const w = await world([{ apiKey: 'KEY/A', prefixes: [P1, P2] }], { userAgent: 'bgproutes-exporter/1' }, stream);
    w.answer = (request, response) => {
      order.push(`associate ${request.url.searchParams.get('new_pfxs')}`);
      accept(request, response);
    };
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 connected', '0 frame {"n":1}']));
    expect(order).toEqual(['connect', `associate ${P1},${P2}`, 'connect']);
    expect(stream.handshakes[0][':path']).toBe('/?api_key=KEY%2FA');
    expect(stream.handshakes[0]['user-agent']).toBe('bgproutes-exporter/1');
    expect(w.source.stats[0]).toMatchObject({
      source: 'bgproutes',
      session: '0',
      idle: false,
      up: true,
      connects: 1,
      gapMs: 0,
      gapSinceMs: undefined,
      frames: 1,
      receivedBytes: 7,
      subscribedPrefixes: 2,
      subscription: { renewals: { success: 1, refused: 0, error: 0 }, expiresAtMs: w.timers.now() + 4 * HOUR },
    });
  });

  it('gives each key its own session and its own fate', async () => {
    const w = await world([
      { apiKey: 'KEY-A', prefixes: [P1] },
      { apiKey: 'KEY-B', prefixes: [P2] },
    ]);
    w.answer = (request, response) =>
      (request.url.searchParams.get('api_key') === 'KEY-B' ? refuse : accept)(request, response);
    w.start();
    await w.until(() => expect([...w.heard].sort()).toEqual(['0 connected', '1 association_failed: Invalid API key']));
    expect(w.stream.handshakes.map((headers) => headers[':path']).sort()).toEqual([
      ...['/?api_key=KEY-A', '/?api_key=KEY-A', '/?api_key=KEY-B'],
    ]);
    expect([w.asked('KEY-A'), w.asked('KEY-B')]).toEqual([[P1], [P2]]);
    expect(w.source.stats.map((stats) => stats.up)).toEqual([true, false]);
    expect(w.source.stats[1].disconnects.association_failed).toBe(1);
    expect(w.source.stats[1].gapSinceMs).toBeUndefined();
  });

  it('tries a refused key again slowly, and slower', async () => {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }]);
    w.answer = refuse;
    w.timers.chance = 0;
    w.start();
    for (const requests of [1, 2, 3]) {
      await w.until(() => expect(w.source.stats[0].disconnects.association_failed).toBe(requests));
      w.timers.advance(59_999);
      expect(w.manager.requests.length).toBe(requests);
      w.timers.advance(1);
    }
    expect(w.source.stats[0]).toMatchObject({ connects: 0, subscription: { renewals: { refused: 3 } } });
    // A line an attempt, with what to do and when the next one comes.
    const told = w.log.lines.filter(({ level }) => level === 'warn' || level === 'error');
    expect(told).toHaveLength(3);
    expect(told[0]).toMatchObject({
      level: 'error',
      message: 'prefixes could not be associated with the key',
      fields: {
        detail: 'Invalid API key',
        hint: expect.stringContaining('compare it with the one in your account'),
        retry_in_seconds: 60,
      },
    });
  });

  it('is not up when nobody can say that the prefixes are associated, and tries again soon', async () => {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }]);
    w.answer = fail;
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 association_failed: HTTP status 503']));
    expect(w.source.stats[0]).toMatchObject({ up: false, connects: 0 });
    await w.until(() => expect(w.stream.clients.length).toBe(0));
    w.answer = accept;
    w.timers.advance(500); // half of the first ceiling, one second
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
  });

  it('refuses a text that is not a URL, without showing a key', () => {
    const make = (websocketUrl: string, liveManagerUrl: string) => () =>
      new BgproutesSource({
        websocketUrl,
        liveManagerUrl,
        sessions: [{ apiKey: 'KEY-A', prefixes: [] }],
        log: new RecordingLogger(),
      });
    expect(make('nonsense', 'http://host')).toThrow(TypeError);
    expect(make('ws://host', 'nonsense')).toThrow(TypeError);
    expect(make('nonsense', 'http://host')).not.toThrow(/KEY-A/);
  });
});

describe('renewal', () => {
  it.each([
    [0, 9],
    [0.5, 10],
    [0.999_999, 11],
  ])(
    'comes after ten minutes, give or take a tenth, on the same connection (chance %f: %i minutes)',
    async (chance, minutes) => {
      const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }]);
      w.timers.chance = chance;
      w.start();
      await w.until(() => expect(w.heard).toEqual(['0 connected']));
      for (const renewals of [2, 3]) {
        w.timers.advance((minutes - 1) * MINUTE);
        expect(w.timers.nextInMs).toBeGreaterThan(0.9 * MINUTE);
        w.timers.advance(MINUTE);
        await w.until(() => expect(w.source.stats[0].subscription.renewals.success).toBe(renewals));
      }
      expect(w.asked('KEY-A')).toEqual([P1, P1, P1]);
      expect([w.source.stats[0].connects, w.heard]).toEqual([1, ['0 connected']]);
    },
  );

  it('moves the expiry', async () => {
    const w = await connectedWorld();
    w.timers.advance(10 * MINUTE);
    await w.until(() => expect(w.source.stats[0].subscription.renewals.success).toBe(2));
    expect(w.source.stats[0].subscription.expiresAtMs).toBe(w.timers.now() + 4 * HOUR);
    w.timers.advance(10 * MINUTE);
    await w.until(() => expect(w.source.stats[0].subscription.renewals.success).toBe(3));
    w.timers.advance(3 * HOUR + 55 * MINUTE); // past the first expiry; the renewals on the way are under way
    expect(w.source.stats[0].subscribedPrefixes).toBe(1);
    expect(w.source.stats[0].up).toBe(true);
  });

  it('is tried again after a failure, is unhealthy at half time, and then the association may be over', async () => {
    const w = await connectedWorld();
    const [stats] = w.source.stats;
    w.answer = fail;
    w.timers.advance(10 * MINUTE);
    await w.until(() => expect(stats.subscription.renewals.error).toBe(1));
    expect([w.source.unhealthy(0), stats.up]).toEqual([undefined, true]);
    w.timers.advance(HOUR + 50 * MINUTE + 1);
    await w.until(() => expect(stats.subscription.renewals.error).toBeGreaterThanOrEqual(2));
    const reason = 'the association of its prefixes could not be renewed';
    expect([w.source.unhealthy(0), stats.up, stats.subscribedPrefixes]).toEqual([reason, true, 1]);
    w.timers.advance(2 * HOUR - 2);
    expect(stats.up).toBe(true);
    w.timers.advance(1);
    expect([stats.up, stats.subscribedPrefixes, stats.gapSinceMs]).toEqual([false, 0, w.timers.now()]);
    expect(w.heard).toEqual(['0 connected', '0 association_failed: the association of the prefixes may have expired']);
    expect(stats.disconnects.association_failed).toBe(1);

    // The connection is kept, and what it still says is handed on.
    w.stream.clients[0].send('{}');
    await w.until(() => expect(w.heard.at(-1)).toBe('0 frame {}'));
    const expiredAtMs = w.timers.now();
    w.timers.advance(MINUTE);
    w.answer = accept;
    while (!stats.up) {
      // An attempt that was under way may have met either answer; when it is over there is a next one within five minutes, or
      // there is no need.
      const { renewals } = stats.subscription;
      const isWaiting = () =>
        w.manager.requests.length === renewals.success + renewals.refused + renewals.error &&
        (w.timers.nextInMs ?? HOUR) <= 5 * MINUTE;
      await w.until(() => expect(stats.up || isWaiting()).toBe(true));
      if (!stats.up) w.timers.advance(w.timers.nextInMs ?? 0);
    }
    expect(w.heard.at(-1)).toBe('0 connected');
    expect([stats.subscribedPrefixes, w.source.unhealthy(0)]).toEqual([1, undefined]);
    expect(stats.gapMs).toBe(w.timers.now() - expiredAtMs);
    expect(stats.gapMs).toBeLessThan(6 * MINUTE); // the longest wait between attempts, and the minute before
    expect(stats.connects).toBe(2); // once more, as the open session may not take a list
  });

  it('that is refused is tried again slowly; the connection stays', async () => {
    const w = await connectedWorld();
    const [stats] = w.source.stats;
    w.answer = refuse;
    w.timers.chance = 0;
    w.timers.advance(10 * MINUTE);
    await w.until(() => expect(stats.subscription.renewals.refused).toBe(1));
    w.timers.advance(59_999);
    expect(w.manager.requests.length).toBe(2);
    w.timers.advance(1);
    await w.until(() => expect(stats.subscription.renewals.refused).toBe(2));
    expect(stats.up).toBe(true);
    expect(w.log.lines.filter((line) => line.level === 'warn').map((line) => line.fields.detail)).toEqual([
      'HTTP status 403: Invalid API key',
      'HTTP status 403: Invalid API key',
    ]);
  });
});

describe('a connection that is lost', () => {
  it('is made again at once, the prefixes are associated again, and the gap is counted', async () => {
    const w = await connectedWorld();
    const [stats] = w.source.stats;
    w.stream.clients[0].terminate();
    await w.until(() => expect(w.heard.at(-1)).toBe('0 closed: close code 1006'));
    expect([stats.up, stats.gapSinceMs, stats.disconnects.closed]).toEqual([false, w.timers.elapsed(), 1]);
    w.timers.advance(400);
    expect(gapMsAt(stats, w.timers.elapsed())).toBe(400);
    w.timers.advance(100); // half of the first ceiling, one second
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
    expect([stats.up, stats.gapMs, stats.gapSinceMs, stats.connects]).toEqual([true, 500, undefined, 2]);
    await w.until(() => expect(w.asked('KEY-A')).toEqual([P1, P1]));
    await w.until(() => expect(stats.subscription.renewals.success).toBe(2));
    expect(w.stream.connections()).toBe(3);
  });

  it('counts the gap by the time that passed, though the clock is set back or forward meanwhile', async () => {
    const w = await connectedWorld();
    const [stats] = w.source.stats;
    const gapSeconds = () => gapMsAt(stats, w.timers.elapsed()) / 1000;
    w.stream.clients[0].terminate();
    await w.until(() => expect(w.heard.length).toBe(2));
    w.timers.advance(400);
    expect(gapSeconds()).toBe(0.4);
    w.timers.setClock(-HOUR);
    expect(gapSeconds()).toBe(0.4);
    w.timers.advance(50);
    expect(gapSeconds()).toBe(0.45);
    w.timers.setClock(3 * HOUR);
    w.timers.advance(50);
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
    expect([gapSeconds(), stats.gapMs]).toEqual([0.5, 500]);
  });

  it('is made again without the Live Manager while the association may last', async () => {
    const w = await connectedWorld();
    const [stats] = w.source.stats;
    w.answer = fail;
    w.stream.clients[0].terminate();
    await w.until(() => expect(w.heard.length).toBe(2));
    w.timers.advance(500);
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
    await w.until(() =>
      expect([stats.up, stats.subscribedPrefixes, stats.subscription.renewals.error]).toEqual([true, 1, 1]),
    );
    // The renewal that failed is made up for soon, not in an hour.
    w.answer = accept;
    w.timers.advance(10_000);
    await w.until(() => expect(stats.subscription.renewals.success).toBe(2));
  });

  it('is not made again without the Live Manager once the association may be over', async () => {
    const w = await connectedWorld();
    const [stats] = w.source.stats;
    w.answer = fail;
    w.timers.advance(4 * HOUR);
    expect(stats.up).toBe(false);
    w.stream.clients[0].terminate();
    await w.until(() => expect(w.heard.at(-1)).toBe('0 closed: close code 1006'));
    w.timers.advance(1_000);
    await w.until(() => expect(w.heard.at(-1)).toBe('0 association_failed: HTTP status 503'));
    expect(stats.connects).toBe(1);
    expect(stats.gapSinceMs).toBe(w.timers.now() - 1_000);
  });

  it('by a refusal is slow to come back', async () => {
    const stream = await webSocketServer((client) => client.send('{"error":"another session uses this key"}'));
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }], {}, stream);
    w.timers.chance = 0;
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 refused: another session uses this key']));
    w.timers.advance(59_999);
    expect(w.stream.connections()).toBe(1);
    w.timers.advance(1);
    await w.until(() => expect(w.source.stats[0].disconnects.refused).toBe(2));
    expect(w.manager.requests).toEqual([]);
    expect(w.source.stats[0]).toMatchObject({ up: false, connects: 0, frames: 0, gapMs: 0, gapSinceMs: undefined });
  });
});

describe('the key', () => {
  it('is in no log line, event or error, whatever both services say', async () => {
    const key = 'K+y/With=Every&Thing';
    const spellings = [key, encodeURIComponent(key), `?api_key=${key}`, new URLSearchParams({ key }).toString()];
    let turn = 0;
    const next = () => spellings[turn++ % spellings.length];
    const streams: TestServer[] = [
      await tcpServer(
        upgradeByHand((socket) => {
          const text = JSON.stringify({ error: next() });
          socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
        }),
      ),
      await tcpServer((socket) => socket.end(`HTTP/1.1 403 Forbidden\r\n\r\n${next()}`)),
      await tcpServer((socket) => socket.end(`${next()}\r\n\r\n`)),
    ];
    const written: unknown[] = [];
    const errors: Error[] = [];
    for (const stream of streams) {
      const w = await world([{ apiKey: key, prefixes: [P1] }], { websocketUrl: stream.url.origin });
      cleanups.push(() => stream.close());
      w.answer = (request, response) => {
        const refused = w.manager.requests.length % 3 === 0;
        response.writeHead(refused ? 400 : 200).end(next());
        if (w.manager.requests.length % 7 === 0) response.socket?.destroy();
        void request;
      };
      w.start();
      for (let i = 1; i <= 12; i++) {
        await w.until(() => expect(w.heard.length).toBeGreaterThanOrEqual(i));
        w.timers.advance(10 * MINUTE);
      }
      w.answer = (_, response) => void response.writeHead(400).end(next());
      let error: unknown;
      w.source.setPrefixes(0, [P2]).catch((caught: unknown) => {
        error = caught;
      });
      const attempts = w.heard.length;
      await w.until(() => expect(w.heard.length).toBeGreaterThan(attempts));
      await w.source.stop();
      errors.push(error as Error);
      written.push(
        w.log.lines,
        w.heard,
        w.source.stats,
        String(error),
        { ...(error as Error) },
        (error as Error).stack,
      );
    }
    // The third cannot be reached: nobody was asked for the prefixes.
    expect(errors.map((error) => error.constructor)).toEqual([PrefixToAPIKeyError, PrefixToAPIKeyError, StoppedError]);
    const text = JSON.stringify(written);
    for (const spelling of [key, encodeURIComponent(key)]) expect(text).not.toContain(spelling);
    expect(text).toContain('[redacted]');
  });
});
