import { describe, expect, it } from 'vitest';
import { PrefixToAPIKeyError, StoppedError } from '../../../src/errors.ts';
import { webSocketServer } from '../../stream/test-servers.ts';
import { accept, connectedWorld, fail, HOUR, MINUTE, P1, P2, refuse, world } from './source-world.ts';

describe('setPrefixes', () => {
  it('connects once more, at once, when prefixes come: the open session may not take them', async () => {
    const w = await connectedWorld();
    const [stats] = w.source.stats;
    await w.source.setPrefixes(0, [P1, P2]);
    expect(w.asked('KEY-A')).toEqual([P1, `${P1},${P2}`]);
    expect([stats.subscribedPrefixes, stats.up]).toEqual([2, false]);
    await w.until(() =>
      expect(w.heard).toEqual(['0 connected', '0 stopped: connecting once more, with the new prefixes', '0 connected']),
    );
    expect(stats).toMatchObject({ up: true, connects: 2, gapMs: 0, disconnects: { stopped: 1 } });
    w.timers.advance(10 * MINUTE);
    await w.until(() => expect(w.asked('KEY-A')).toEqual([P1, `${P1},${P2}`, `${P1},${P2}`]));
  });

  it('stays connected when prefixes only go, and takes what still comes of them for its own', async () => {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1, P2] }]);
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 connected']));
    await w.source.setPrefixes(0, [P1]);
    w.timers.advance(MINUTE);
    w.source.heard(0, [P2], w.timers.now());
    expect([w.heard, w.source.stats[0].connects]).toEqual([['0 connected'], 1]);
    expect(w.log.lines.at(-1)?.message).toBe('an open session keeps the list that its key had when it began');
  });

  it('is not told to the service while another session uses the key', async () => {
    const stream = await webSocketServer((client) => client.send('{"error":"Another session is open"}'));
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }], {}, stream);
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 refused: Another session is open']));
    w.source.setPrefixes(0, [P2]).catch(() => {});
    await w.until(() => expect(w.source.stats[0].disconnects.refused).toBe(2));
    expect(w.manager.requests).toEqual([]);
  });

  it('rejects prefixes that the service refuses, and keeps the earlier ones there', async () => {
    const w = await connectedWorld();
    w.answer = (request, response) => {
      if (request.url.searchParams.get('new_pfxs') === P1) accept(request, response);
      else response.writeHead(400).end('at most 10 prefixes a key');
    };
    const error = await w.source.setPrefixes(0, [P1, P2]).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PrefixToAPIKeyError);
    expect(error).toMatchObject({
      code: 'PREFIX_TO_API_KEY',
      status: 400,
      serverText: 'at most 10 prefixes a key',
      actor: 'operator',
    });
    await w.until(() => expect(w.asked('KEY-A')).toEqual([P1, `${P1},${P2}`, P1]));
    await w.until(() => expect(w.source.stats[0].subscription.renewals).toEqual({ success: 2, refused: 1, error: 0 }));
    expect([w.source.stats[0].up, w.source.stats[0].subscribedPrefixes, w.source.unhealthy(0)]).toEqual([
      true,
      1,
      undefined,
    ]);
  });

  it('waits while the service cannot be reached', async () => {
    const w = await connectedWorld();
    w.answer = fail;
    let done = false;
    const replaced = w.source.setPrefixes(0, [P2]).then(() => {
      done = true;
    });
    await w.until(() => expect(w.source.stats[0].subscription.renewals.error).toBe(1));
    expect([done, w.source.stats[0].up]).toEqual([false, true]);
    w.answer = accept;
    w.timers.advance(10_000);
    await replaced;
    expect(w.asked('KEY-A')).toEqual([P1, P2, P2]);
  });

  it('forgets the ones before it', async () => {
    const w = await connectedWorld();
    const results = await Promise.allSettled([
      w.source.setPrefixes(0, ['10.0.0.0/8']),
      w.source.setPrefixes(0, ['11.0.0.0/8']),
      w.source.setPrefixes(0, [P2]),
    ]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(results[0]).toMatchObject({ reason: { code: 'STOPPED' } });
    expect(w.asked('KEY-A').at(-1)).toBe(P2);
    expect(w.source.stats[0].subscribedPrefixes).toBe(1);
  });

  it('ends the wait of a session that was refused for its prefixes', async () => {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1, P2] }]);
    w.answer = (request, response) =>
      (request.url.searchParams.get('new_pfxs') === P1 ? accept : refuse)(request, response);
    w.start();
    await w.until(() => expect(w.heard.length).toBe(1));
    const replaced = w.source.setPrefixes(0, [P1]);
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
    await replaced;
  });

  it('before the start is what the start associates', async () => {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }]);
    const replaced = w.source.setPrefixes(0, [P2]);
    w.start();
    await w.until(() => expect(w.asked('KEY-A')).toEqual([P2]));
    await replaced;
  });
});

describe('a session without prefixes', () => {
  it('is idle, asks nobody, and is not down', async () => {
    const w = await world([
      { apiKey: 'KEY-A', prefixes: [P1] },
      { apiKey: 'KEY-B', prefixes: [] },
    ]);
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 connected']));
    w.timers.advance(5 * HOUR);
    expect(w.asked('KEY-B')).toEqual([]);
    expect(w.source.stats[1]).toMatchObject({ idle: true, up: false, gapMs: 0, gapSinceMs: undefined });
    expect(w.source.unhealthy(1)).toBeUndefined();
  });

  it('wakes when it gets some, and rests when they are taken', async () => {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [] }]);
    const [stats] = w.source.stats;
    w.start();
    const first = w.source.setPrefixes(0, [P1]);
    await w.until(() => expect(w.heard).toEqual(['0 connected']));
    await first;
    expect(stats.idle).toBe(false);
    await w.source.setPrefixes(0, []);
    expect(w.heard).toEqual(['0 connected', '0 stopped']);
    expect(stats).toMatchObject({
      idle: true,
      up: false,
      subscribedPrefixes: 0,
      subscription: { expiresAtMs: undefined },
      gapSinceMs: undefined,
    });
    w.timers.advance(5 * HOUR);
    expect(w.manager.requests.length).toBe(1);
    // At once again: the new connection waits until the old one is closed, as the service has one a key.
    const open: number[] = [];
    const watching = setInterval(() => open.push(w.stream.clients.length), 1);
    void w.source.setPrefixes(0, [P2]).catch(() => {});
    void w.source.setPrefixes(0, []).catch(() => {});
    const last = w.source.setPrefixes(0, [P1, P2]);
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
    await last;
    clearInterval(watching);
    expect(Math.max(...open)).toBeLessThanOrEqual(1);
    expect(w.asked('KEY-A').at(-1)).toBe(`${P1},${P2}`);
  });
});

describe('stop', () => {
  it('closes all connections, and is final', async () => {
    const w = await world([
      { apiKey: 'KEY-A', prefixes: [P1] },
      { apiKey: 'KEY-B', prefixes: [P2] },
    ]);
    w.start();
    await w.until(() => expect(w.source.stats.map((stats) => stats.up)).toEqual([true, true]));
    await w.source.stop();
    expect(w.source.stats.map((stats) => [stats.up, stats.disconnects.stopped])).toEqual([
      [false, 1],
      [false, 1],
    ]);
    await w.until(() => expect(w.stream.clients.length).toBe(0));
    expect(w.timers.nextInMs).toBeUndefined();
    await w.source.stop();
    await expect(w.source.setPrefixes(0, [P2])).rejects.toThrow(StoppedError);
  });

  it('does not wait for a Live Manager that is silent, nor leave anybody waiting', async () => {
    const w = await connectedWorld();
    w.answer = () => {};
    const replaced = w.source.setPrefixes(0, [P2]).catch((error: unknown) => error);
    await w.until(() => expect(w.manager.requests.length).toBe(2));
    await w.source.stop();
    expect(await replaced).toBeInstanceOf(StoppedError);
    expect(w.source.stats[0].subscription.renewals).toEqual({ success: 1, refused: 0, error: 0 });
  });

  it('does not wait for a first association', async () => {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }]);
    w.answer = () => {};
    w.start();
    await w.until(() => expect(w.manager.requests.length).toBe(1));
    await w.source.stop();
    expect(w.heard).toEqual(['0 stopped']);
  });

  it('before the start does nothing', async () => {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }]);
    await w.source.stop();
    expect(w.heard).toEqual([]);
  });
});

describe('backpressure', () => {
  it('pauses and resumes a session', async () => {
    const w = await connectedWorld();
    w.source.pause(0);
    w.stream.clients[0].send('{}');
    await w.source.setPrefixes(0, [P1]); // a round trip elsewhere: time enough for the frame
    expect(w.heard).toEqual(['0 connected']);
    w.source.resume(0);
    await w.until(() => expect(w.heard).toEqual(['0 connected', '0 frame {}']));
  });
});
