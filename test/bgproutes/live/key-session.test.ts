/** One key, two clients: who takes what from whom. */
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { webSocketServer } from '../../stream/test-servers.ts';
import { connectedWorld, fail, HOUR, MINUTE, P1, type World, world } from './source-world.ts';

const FOREIGN = '203.0.113.0/24';
const OTHER_SESSION = '{"error":"Another session is open for this API key"}';

/** Answers the connections one after the other: a text is sent at once, undefined lets it be. */
async function streamThat(...answers: readonly (string | undefined)[]) {
  return webSocketServer((client: WebSocket, count) => {
    const answer = answers[Math.min(count, answers.length) - 1];
    if (answer !== undefined) client.send(answer);
  });
}

const cut = (w: World) => {
  for (const client of w.stream.clients) client.terminate();
};

describe('a start', () => {
  it('hands on nothing of the connection that only asks, which may carry the list of somebody else', async () => {
    const stream = await webSocketServer((client, count) => client.send(`{"connection":${count}}`));
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }], {}, stream);
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 connected', '0 frame {"connection":2}']));
    expect(w.source.stats[0]).toMatchObject({ frames: 1, connects: 1, gapMs: 0, subscription: { losses: 0 } });
    expect(Object.values(w.source.stats[0].disconnects).every((count) => count === 0)).toBe(true);
  });

  it('beside a session that lives changes nothing, and is tried again slowly', async () => {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }], {}, await streamThat(OTHER_SESSION, undefined));
    w.timers.chance = 0;
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 refused: Another session is open for this API key']));
    expect(w.manager.requests).toEqual([]);
    expect(w.log.lines.map((line) => line.message)).toContain(
      'another session uses the key: nothing was associated with it',
    );
    w.timers.advance(59_999);
    expect(w.stream.connections()).toBe(1);
    w.timers.advance(1);
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
    expect(w.asked('KEY-A')).toEqual([P1]);
  });

  it('with a key that is refused until it has prefixes associates them, then connects', async () => {
    const w = await world(
      [{ apiKey: 'KEY-A', prefixes: [P1] }],
      {},
      await streamThat('{"error":"No prefixes are associated with this API key"}', undefined),
    );
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 connected']));
    expect([w.asked('KEY-A'), w.stream.connections()]).toEqual([[P1], 2]);
  });

  it('whose second connection is refused because the first one lingers is tried again after five seconds', async () => {
    const w = await world(
      [{ apiKey: 'KEY-A', prefixes: [P1] }],
      {},
      await streamThat(undefined, OTHER_SESSION, undefined),
    );
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 refused: Another session is open for this API key']));
    w.timers.advance(5_000);
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
    // The list is ours still; it is renewed beside the stream.
    await w.until(() => expect(w.asked('KEY-A')).toEqual([P1, P1]));
    expect(w.stream.connections()).toBe(3);
  });

  it('that is asked for patience asks nobody for anything more', async () => {
    const w = await world(
      [{ apiKey: 'KEY-A', prefixes: [P1] }],
      {},
      await streamThat('{"error":"Too many requests, slow down"}'),
    );
    w.start();
    await w.until(() => expect(w.source.stats[0].disconnects.refused).toBe(1));
    expect(w.manager.requests).toEqual([]);
  });
});

describe('a connection that is lost', () => {
  it('and is refused as its own ghost is tried again after 5, 10, 20 s, and associates nothing', async () => {
    const w = await world(
      [{ apiKey: 'KEY-A', prefixes: [P1] }],
      {},
      await streamThat(undefined, undefined, OTHER_SESSION, OTHER_SESSION, OTHER_SESSION, OTHER_SESSION, undefined),
    );
    w.timers.chance = 0.999_999;
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 connected']));
    cut(w);
    await w.until(() => expect(w.source.stats[0].disconnects.closed).toBe(1));
    w.timers.advance(1_000);
    for (const [refusals, waitMs] of [
      [1, 5_000],
      [2, 10_000],
      [3, 20_000],
      [4, 40_000],
    ]) {
      await w.until(() => expect(w.source.stats[0].disconnects.refused).toBe(refusals));
      w.timers.advance(waitMs - 1);
      expect(w.stream.connections()).toBe(2 + refusals);
      w.timers.advance(1);
    }
    expect(w.asked('KEY-A')).toEqual([P1]);
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
  });

  it('for longer than a ghost lives waits as long as for any refusal', async () => {
    const w = await world(
      [{ apiKey: 'KEY-A', prefixes: [P1] }],
      {},
      await streamThat(undefined, undefined, OTHER_SESSION),
    );
    w.timers.chance = 0;
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 connected']));
    cut(w);
    await w.until(() => expect(w.source.stats[0].disconnects.closed).toBe(1));
    const [{ disconnects }] = w.source.stats;
    const pass = async (isOver: () => boolean) => {
      while (!isOver()) {
        w.timers.advance(500);
        await new Promise((resolve) => setImmediate(resolve));
        await w.until(() => expect(disconnects.refused).toBe(w.stream.connections() - 2));
      }
    };
    const endMs = w.timers.now() + 5 * MINUTE;
    await pass(() => w.timers.now() >= endMs);
    const refusals = disconnects.refused;
    expect(refusals).toBeGreaterThan(4);
    await pass(() => disconnects.refused > refusals);
    w.timers.advance(59_000);
    expect(disconnects.refused).toBe(refusals + 1);
    w.timers.advance(1_000);
    await w.until(() => expect(disconnects.refused).toBe(refusals + 2));
    expect(w.asked('KEY-A')).toEqual([P1]);
  });

  it('for more than a minute is made again as at a start: another client may have had the key', async () => {
    const w = await connectedWorld({
      connection: { settleMs: 0, pingIntervalMs: 1e12, backoff: { floorMs: 90_000, baseMs: 90_000, maxMs: 90_000 } },
    });
    cut(w);
    await w.until(() => expect(w.source.stats[0].disconnects.closed).toBe(1));
    w.timers.advance(90_000);
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
    expect([w.asked('KEY-A'), w.stream.connections()]).toEqual([[P1, P1], 4]);
  });
});

it('after a long gap, without the Live Manager, a connection with a list that may be ours is made once more when it answers', async () => {
  const backoff = { floorMs: 90_000, baseMs: 90_000, maxMs: 90_000 };
  const w = await connectedWorld({
    connection: { settleMs: 0, pingIntervalMs: 1e12, handshakeTimeoutMs: 1e12, backoff },
  });
  const [stats] = w.source.stats;
  w.answer = fail;
  cut(w);
  await w.until(() => expect(stats.disconnects.closed).toBe(1));
  w.timers.advance(90_000);
  await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
  expect([stats.up, stats.subscription.renewals.error, w.stream.connections()]).toEqual([true, 1, 3]);
  w.answer = (_, response) => void response.end();
  w.timers.advance(10_000);
  await w.until(() =>
    expect(w.heard.slice(-2)).toEqual(['0 stopped: connecting once more, with the new prefixes', '0 connected']),
  );
  expect([w.asked('KEY-A'), w.stream.connections()]).toEqual([[P1, P1, P1], 4]);
});

describe('a list that another client replaced', () => {
  async function replaced(): Promise<World> {
    const w = await connectedWorld();
    w.timers.advance(MINUTE);
    w.source.heard(0, [FOREIGN], w.timers.now());
    return w;
  }

  it('is found out by a message of its prefixes: down at once, since the last association', async () => {
    const w = await replaced();
    const [stats] = w.source.stats;
    expect(w.heard).toEqual(['0 connected', '0 association_failed: another client replaced the prefixes of the key']);
    expect(stats).toMatchObject({ up: false, subscription: { losses: 1 }, subscribedPrefixes: 0 });
    expect(stats.gapSinceMs).toBe(w.timers.elapsed() - MINUTE);
    expect(w.log.lines.at(-1)).toMatchObject({ level: 'error', fields: { heard: FOREIGN } });
  });

  it('is associated again, on a new connection', async () => {
    const w = await replaced();
    await w.until(() => expect(w.heard.at(-1)).toBe('0 connected'));
    expect(w.asked('KEY-A')).toEqual([P1, P1]);
    expect(w.source.stats[0]).toMatchObject({
      up: true,
      subscription: { losses: 1 },
      subscribedPrefixes: 1,
      connects: 2,
    });
    expect(w.stream.clients.length).toBe(1);
  });

  it('again and again is associated again later and later', async () => {
    const w = await replaced();
    w.timers.chance = 0.999_999;
    const waits = () => w.log.values('associated_again_in_seconds').map(Number);
    for (let losses = 1; losses <= 5; losses++) {
      await w.until(() => expect(w.source.stats[0].up).toBe(true));
      w.timers.advance(MINUTE);
      w.source.heard(0, [FOREIGN], w.timers.now());
      expect(w.source.stats[0].up).toBe(false);
      w.timers.advance(waits()[losses] * 1_000);
    }
    expect(w.source.stats[0].subscription.losses).toBe(6);
    expect(waits()).toEqual([0, 10, 20, 40, 80, 160]);
    expect(w.log.lines.map((line) => line.message)).toContain(
      'the list of the key was replaced once more: another client fights over this key',
    );
    // Half an hour of peace, and the next is associated again at once.
    w.timers.advance(31 * MINUTE);
    await w.until(() => expect(w.source.stats[0].up).toBe(true));
    w.source.heard(0, [FOREIGN], w.timers.now());
    await w.until(() => expect(w.source.stats[0].up).toBe(true));
  });

  it('is told from messages that may be ours or old', async () => {
    const w = await connectedWorld();
    const atMs = w.timers.now();
    w.source.heard(0, [FOREIGN], atMs); // under way when the list was associated
    w.timers.advance(MINUTE);
    for (const prefixes of [
      [P1],
      ['192.23.62.128/25'], // inside
      ['192.23.0.0/16'], // around
      [FOREIGN, P1], // one message, a part of it ours
      [],
    ]) {
      w.source.heard(0, prefixes, w.timers.now());
    }
    w.source.heard(0, [FOREIGN], atMs - 1); // held, and read late
    expect([w.heard, w.source.stats[0].subscription.losses]).toEqual([['0 connected'], 0]);
    w.source.heard(0, [FOREIGN], w.timers.now());
    expect(w.source.stats[0].subscription.losses).toBe(1);
  });

  it('of a session without prefixes of its own is not counted as one', async () => {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [], prefixesOfKey: true }]);
    w.start();
    await w.until(() => expect(w.heard).toEqual(['0 connected']));
    w.timers.advance(MINUTE);
    w.source.heard(0, [FOREIGN], w.timers.now());
    expect(w.heard).toEqual(['0 connected']);
  });

  it('is not associated again without a connection', async () => {
    const w = await connectedWorld();
    w.timers.advance(MINUTE);
    w.answer = fail;
    w.source.heard(0, [FOREIGN], w.timers.now());
    cut(w);
    await w.until(() => expect(w.source.stats[0].disconnects.closed).toBe(1));
    await w.until(() => expect(w.source.stats[0].subscription.renewals.error).toBeLessThanOrEqual(1));
    const asked = w.manager.requests.length;
    await w.until(() => expect(w.timers.nextInMs).toBeGreaterThan(0));
    expect(w.manager.requests.length).toBe(asked);
  });
});

describe('silence', () => {
  async function speaking(updates: { count: number }): Promise<World> {
    const w = await world([{ apiKey: 'KEY-A', prefixes: [P1] }]);
    w.source.start({
      frames: () => {},
      connected: () => w.heard.push('connected'),
      disconnected: (_session, reason, atMs) => w.heard.push(`${reason} since ${(w.timers.now() - atMs) / MINUTE} min`),
      updates: () => updates.count,
    });
    await w.until(() => expect(w.heard).toEqual(['connected']));
    return w;
  }

  async function renew(w: World, times: number): Promise<void> {
    const before = w.source.stats[0].subscription.renewals.success;
    w.timers.advance(10 * MINUTE);
    await w.until(() => expect(w.source.stats[0].subscription.renewals.success).toBe(before + times));
  }

  it('of a session that used to speak is a gap since the renewal before: its list may have been another one', async () => {
    const updates = { count: 0 };
    const w = await speaking(updates);
    updates.count = 500;
    await renew(w, 1);
    expect(w.heard).toEqual(['connected']);
    await renew(w, 1);
    await w.until(() => expect(w.heard).toEqual(['connected', 'stopped since 10 min', 'connected']));
    expect(w.source.stats[0]).toMatchObject({ subscription: { losses: 0 }, connects: 2 });
  });

  it('of a session that seldom speaks is not counted as one', async () => {
    const updates = { count: 0 };
    const w = await speaking(updates);
    updates.count = 9;
    await renew(w, 1);
    await renew(w, 1);
    await renew(w, 1);
    expect([w.heard, w.stream.connections()]).toEqual([['connected'], 2]);
  });
});

it('an association that could not be renewed for four hours is made on a new connection', async () => {
  const w = await connectedWorld();
  w.answer = fail;
  w.timers.advance(4 * HOUR);
  expect(w.source.stats[0].up).toBe(false);
  w.answer = (_, response) => void response.end();
  await w.until(() => {
    w.timers.advance(Math.min(MINUTE, w.timers.nextInMs ?? 0));
    expect(w.source.stats[0].up).toBe(true);
  });
  expect(w.source.stats[0].connects).toBe(2);
  expect(w.asked('KEY-A').at(-1)).toBe(P1);
});
