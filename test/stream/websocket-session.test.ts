import { describe, expect, it } from 'vitest';
import { systemTimers } from '../../src/stream/timers.ts';
import type { SessionSettings } from '../../src/stream/websocket-session.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/patience.ts';
import { ManualTimers } from './manual-timers.ts';
import { cleanups, KEY, open, serve } from './session-world.ts';
import { tcpServer, upgradeByHand, webSocketServer } from './test-servers.ts';

describe('settings', () => {
  it('that are there but undefined are as good as absent', async () => {
    const server = await serve(webSocketServer((client) => client.send('{}')));
    const timers = new ManualTimers();
    const settings = { pingIntervalMs: undefined } as Partial<SessionSettings>;
    const { events } = open(server.url, settings, { timers });
    await until(() => expect(events).toEqual(['connected']));
    expect(timers.nextInMs).toBe(10_000);
  });
});

describe('reconnecting', () => {
  it('waits longer after each failure, up to the maximum', async () => {
    const server = await serve(webSocketServer((client) => client.close()));
    const { log, reasons } = open(server.url);
    await until(() => expect(reasons.length).toBeGreaterThanOrEqual(6));
    expect(log.values('retry_in_seconds').slice(0, 6)).toEqual([0.005, 0.01, 0.02, 0.04, 0.04, 0.04]);
  });

  it('goes on waiting longer when connections are made but do not last', async () => {
    const server = await serve(webSocketServer((client) => client.send('{}', () => client.terminate())));
    const { log, events } = open(server.url);
    // Now and then a busy machine reads the end of a connection before its frame: that one was not made.
    await until(() => {
      expect(log.values('retry_in_seconds').length).toBeGreaterThanOrEqual(4);
      expect(events.filter((event) => event === 'connected').length).toBeGreaterThanOrEqual(4);
    });
    expect(log.values('retry_in_seconds').slice(0, 4)).toEqual([0.005, 0.01, 0.02, 0.04]);
  });

  it('starts from the first wait after a connection that was stable', async () => {
    let nowMs = 0;
    const server = await serve(
      webSocketServer((client, count) => client.send('{}', () => (count === 4 ? undefined : client.terminate()))),
    );
    const timers = { ...systemTimers, now: () => nowMs, random: () => 0.999_999_9 };
    const { log, events } = open(server.url, { stableAfterMs: 300 }, { timers });
    await until(() => expect([server.connections(), events.at(-1)]).toEqual([4, 'connected']));
    nowMs = 300;
    server.clients[0].terminate();
    await until(() => expect(log.values('retry_in_seconds').length).toBeGreaterThanOrEqual(5));
    expect(log.values('retry_in_seconds').slice(0, 5)).toEqual([0.005, 0.01, 0.02, 0.005, 0.01]);
  });

  it('is slow after a refusal', async () => {
    const server = await serve(
      webSocketServer((client) => {
        client.send('{"error":"Invalid API key"}');
        client.close();
      }),
    );
    const { log, session } = open(server.url, { refusalBackoff: { floorMs: 60_000, baseMs: 120_000, maxMs: 600_000 } });
    for (let i = 1; i <= 4; i++) {
      await until(() => expect(server.connections()).toBe(i));
      await until(() => expect(log.values('retry_in_seconds').length).toBe(i));
      session.retryNow();
    }
    expect(log.values('retry_in_seconds')).toEqual([120, 240, 480, 600]);
    expect(new Set(log.values('reason'))).toEqual(new Set(['refused']));
  });

  it.each([401, 403, 429])('is slow after HTTP status %i', async (status) => {
    const server = await serve(tcpServer((socket) => socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)));
    const { log } = open(server.url);
    await until(() => expect(log.values('retry_in_seconds')).toEqual([0.4]));
    expect(log.values('reason')).toEqual(['connect_failed']);
  });

  it('is slow when the server turns us away by a close code', async () => {
    const server = await serve(webSocketServer((client) => client.close(4001, 'unauthorized')));
    const { log } = open(server.url);
    await until(() => expect(log.values('retry_in_seconds')).toEqual([0.4]));
    expect(log.values('detail')).toEqual(['close code 4001: unauthorized']);
  });

  it('finds a server that comes back', async () => {
    const port = await freePort();
    const first = await webSocketServer(() => {}, { port });
    const { events } = open(first.url);
    await until(() => expect(events).toEqual(['connected']));
    await first.close();
    await until(() => expect(events.some((event) => event.startsWith('connect_failed'))).toBe(true));
    await serve(webSocketServer(() => {}, { port }));
    await until(() => expect(events.at(-1)).toBe('connected'));
  });

  it('prepares before each connection, and does not connect when that fails', async () => {
    const server = await serve(webSocketServer((client) => client.close()));
    let asked = 0;
    const { log, reasons } = open(
      server.url,
      {},
      {
        prepare: async () => {
          asked++;
          if (asked === 2)
            return { ok: false, reason: 'association_failed', detail: 'too many prefixes', refused: true };
          return { ok: true };
        },
      },
    );
    await until(() => expect(reasons).toEqual(['closed', 'association_failed']));
    await until(() => expect(log.values('retry_in_seconds')).toEqual([0.005, 0.4]));
    expect([asked, server.connections()]).toEqual([2, 1]);
  });

  it('can be turned off', async () => {
    const server = await serve(webSocketServer((client) => client.close()));
    const { log, events, session } = open(server.url, {}, { reconnect: false });
    await until(() => expect(events).toEqual(['closed: close code 1005']));
    expect(log.values('retry_in_seconds')).toEqual([]);
    await session.stop();
    expect(server.connections()).toBe(1);
  });
});

describe('stop', () => {
  it('does not wait for a server that will not close', async () => {
    const server = await serve(tcpServer(upgradeByHand(() => {})));
    const { session, events } = open(server.url);
    await until(() => expect(events).toEqual(['connected']));
    await session.stop();
    expect(events).toEqual(['connected', 'stopped']);
  });

  it('does not wait for a paused connection', async () => {
    const server = await serve(webSocketServer());
    const { session, events } = open(server.url);
    await until(() => expect(events).toEqual(['connected']));
    session.pause();
    for (let i = 0; i < 20_000; i++) server.clients[0].send('x'.repeat(1000));
    await session.stop();
    expect(events).toEqual(['connected', 'stopped']);
  });

  it('ends a handshake', async () => {
    let accepted = 0;
    const server = await serve(tcpServer(() => accepted++));
    const { session, events } = open(server.url, { handshakeTimeoutMs: 60_000 });
    await until(() => expect(accepted).toBe(1));
    await session.stop();
    expect(events).toEqual(['stopped']);
  });

  it('ends a wait', async () => {
    const server = await serve(webSocketServer((client) => client.close()));
    const { session, events, log } = open(server.url, {
      handshakeTimeoutMs: 60_000,
      backoff: { baseMs: 60_000, maxMs: 60_000 },
    });
    await until(() => expect(log.values('retry_in_seconds')).toEqual([60]));
    await session.stop();
    expect(events).toEqual(['closed: close code 1005']);
  });

  it('keeps further frames away', async () => {
    const server = await serve(webSocketServer());
    const { session, events, frames } = open(server.url);
    await until(() => expect(events).toEqual(['connected']));
    const sending = setInterval(() => server.clients[0]?.send('{}'), 1);
    cleanups.push(async () => clearInterval(sending));
    await until(() => expect(frames.length).toBeGreaterThan(3));
    const stopped = session.stop();
    const before = frames.length;
    await stopped;
    expect(frames.length).toBe(before);
  });
});

describe('the key', () => {
  it('is in no log line and no detail, whatever the server says', async () => {
    const spellings = [KEY, encodeURIComponent(KEY), `?api_key=${KEY}`, `wss://host/?api_key=${KEY}&x=1`];
    const answers = spellings.flatMap((text) => [
      (socket: Parameters<Parameters<typeof tcpServer>[0]>[0]) => {
        const body = `you asked ${text}`;
        socket.end(`HTTP/1.1 404 ${text}\r\nContent-Length: ${body.length}\r\nX: ${text}\r\n\r\n${body}`);
      },
      upgradeByHand((socket) => {
        const text2 = JSON.stringify({ error: text });
        socket.write(Buffer.concat([Buffer.from([0x81, text2.length]), Buffer.from(text2)]));
      }),
      upgradeByHand((socket) => {
        const reason = Buffer.concat([Buffer.from([0x03, 0xf0]), Buffer.from(text)]);
        socket.write(Buffer.concat([Buffer.from([0x88, reason.length]), reason]));
      }),
      (socket: Parameters<Parameters<typeof tcpServer>[0]>[0]) => socket.end(`${text}\r\n\r\n`),
    ]);
    let served = 0;
    const server = await serve(tcpServer((socket) => answers[served++ % answers.length](socket)));
    const settings = { backoff: { baseMs: 1, maxMs: 1 }, refusalBackoff: { baseMs: 1, maxMs: 1 } };
    const { log, events } = open(server.url, settings);
    await until(() => expect(events.length).toBeGreaterThanOrEqual(answers.length));
    const written = JSON.stringify([log.lines, events]);
    expect(written).not.toContain(KEY);
    expect(written).toContain('[redacted]');
    expect(new Set(log.values('reason'))).toEqual(new Set(['connect_failed', 'refused', 'closed']));
  });
});
