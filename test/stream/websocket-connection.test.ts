import { describe, expect, it } from 'vitest';
import { redactor } from '../../src/secrets/redaction.ts';
import { systemTimers } from '../../src/stream/timers.ts';
import { WebSocketSession } from '../../src/stream/websocket-session.ts';
import { PacedTime } from '../support/paced-time.ts';
import { until } from '../support/patience.ts';
import { RecordingLogger } from './recording-logger.ts';
import { cleanups, KEY, open, QUICK, serve } from './session-world.ts';
import { tcpServer, upgradeByHand, webSocketServer } from './test-servers.ts';

/** A short text as a server sends it. */
function textFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
}

describe('frames', () => {
  it('are handed on as they came, whatever they hold', async () => {
    const sent = [
      Buffer.from('{"record_type":"update"}'),
      Buffer.from([0x7b, 0xff, 0xfe, 0x00]),
      Buffer.from(''),
      Buffer.from('[]'),
    ];
    const server = await serve(
      webSocketServer((client) => {
        for (const data of sent) client.send(data, { binary: false });
        client.send(Buffer.from('binary'), { binary: true });
      }),
    );
    const { frames, events } = open(server.url);
    await until(() => expect(frames).toEqual([...sent, Buffer.from('binary')]));
    expect(events).toEqual(['connected']);
  });

  it('of one packet are handed on together, in their order', async () => {
    const texts = Array.from({ length: 500 }, (_, i) => `{"number":${i}}`);
    const server = await serve(
      tcpServer(upgradeByHand((socket) => socket.write(Buffer.concat(texts.map((text) => textFrame(text)))))),
    );
    const packets: string[][] = [];
    const session = new WebSocketSession(
      { url: server.url, settings: QUICK, timers: systemTimers, redactText: redactor([]), log: new RecordingLogger() },
      {
        connected: () => {},
        frames: (frames) => void packets.push(frames.map(String)),
        disconnected: () => {},
      },
    );
    cleanups.push(() => session.stop());
    session.start();
    await until(() => expect(packets.flat()).toEqual(texts));
    expect(packets.length).toBeLessThan(5);
    expect(packets.every((packet) => packet.length > 0)).toBe(true);
  });

  it('that a refusal follows in the same packet are handed on before it', async () => {
    const frames = ['{"number":1}', '{"number":2}', '{"error":"enough"}', '{"number":3}'];
    const server = await serve(
      tcpServer(upgradeByHand((socket) => socket.write(Buffer.concat(frames.map((text) => textFrame(text)))))),
    );
    const seen = open(server.url, {}, { reconnect: false });
    await until(() => expect(seen.events).toEqual(['connected', 'refused: enough']));
    expect(seen.frames.map(String)).toEqual(frames.slice(0, 2));
  });

  it('come uncompressed: the extension is not offered', async () => {
    const server = await serve(webSocketServer());
    const { events } = open(server.url, {}, { headers: { 'user-agent': 'bgproutes-exporter/1.2.3' } });
    await until(() => expect(events).toEqual(['connected']));
    expect(server.handshakes[0]['sec-websocket-extensions']).toBeUndefined();
    expect(server.handshakes[0]['user-agent']).toBe('bgproutes-exporter/1.2.3');
    expect(server.handshakes[0][':path']).toBe(`/?api_key=${KEY}`);
  });

  it('stop while paused and lose nothing', async () => {
    const server = await serve(webSocketServer());
    const { session, frames, events } = open(server.url);
    await until(() => expect(events).toEqual(['connected']));
    session.pause();
    const text = 'x'.repeat(1000);
    const count = 5_000;
    for (let i = 0; i < count; i++) server.clients[0].send(`${i} ${text}`);
    await until(() => expect(server.clients[0].bufferedAmount).toBeGreaterThan(500_000)); // the window is full
    expect(frames.length).toBeLessThan(200);
    session.resume();
    await until(() => expect(frames.length).toBe(count));
    expect(frames.map((frame) => Number.parseInt(frame.toString(), 10))).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
  });

  it('are not read while the listener has enough of them, and nothing is lost', async () => {
    const server = await serve(webSocketServer());
    let isTold: () => void = () => {};
    const enough = new Promise<void>((resolve) => {
      isTold = resolve;
    });
    const numbers: number[] = [];
    const session = new WebSocketSession(
      { url: server.url, settings: QUICK, timers: systemTimers, redactText: redactor([]), log: new RecordingLogger() },
      {
        connected: () => {},
        frames: (frames) => {
          for (const frame of frames) numbers.push(Number.parseInt(frame.toString(), 10));
          return enough;
        },
        disconnected: () => {},
      },
    );
    cleanups.push(() => session.stop());
    session.start();
    await until(() => expect(server.clients.length).toBe(1));
    const text = 'x'.repeat(1000);
    const count = 5_000;
    for (let i = 0; i < count; i++) server.clients[0].send(`${i} ${text}`);
    await until(() => expect(server.clients[0].bufferedAmount).toBeGreaterThan(500_000)); // the window is full
    expect(numbers.length).toBeLessThan(200);
    session.pause();
    session.resume();
    isTold();
    await until(() => expect(numbers.length).toBe(count));
    expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it('let others have their turn, however many wait', async () => {
    const server = await serve(webSocketServer());
    const { session, frames, events } = open(server.url);
    await until(() => expect(events).toEqual(['connected']));
    session.pause();
    const frame = 'x'.repeat(1_000);
    const count = 8_000;
    for (let i = 0; i < count; i++) server.clients[0].send(frame);
    await until(() => expect(server.clients[0].bufferedAmount).toBeGreaterThan(500_000)); // what was taken waits
    const inTurn: number[] = [];
    const turn = () => {
      inTurn.push(frames.length);
      if (frames.length < count) setImmediate(turn);
    };
    session.resume();
    setImmediate(turn);
    await until(() => expect(frames.length).toBe(count));
    const most = Math.max(...inTurn.map((seen, i) => seen - (inTurn[i - 1] ?? 0)));
    // Four packets of 64 KiB, and two that were under way.
    expect(most).toBeLessThan((6 * 65_536) / frame.length + 1);
  });

  it('do not come on a connection made while paused', async () => {
    const server = await serve(webSocketServer((client) => client.send('{}')));
    const { session, frames, events } = open(server.url);
    session.pause();
    await until(() => expect(events).toEqual(['connected']));
    expect(frames.length).toBe(0);
    session.resume();
    await until(() => expect(frames.length).toBe(1));
  });
});

describe('a disconnect has its reason', () => {
  it('connect_failed: nobody listens', async () => {
    const server = await webSocketServer();
    await server.close();
    const { events } = open(server.url, {}, { reconnect: false });
    await until(() =>
      expect(events[0]).toMatch(/^connect_failed: nothing listens at 127\.0\.0\.1:\d+, .*ECONNREFUSED/),
    );
  });

  it('connect_failed: an HTTP answer other than 101, with its text', async () => {
    const server = await serve(
      tcpServer((socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 12\r\n\r\nno\x1b upstream')),
    );
    const { events, log } = open(server.url, {}, { reconnect: false });
    await until(() => expect(events).toEqual(['connect_failed: HTTP status 502: no upstream']));
    expect(log.lines.map((line) => line.message)).toEqual(['stream could not be opened']);
  });

  it('connect_failed: an answer without end', async () => {
    const server = await serve(
      tcpServer((socket) => {
        socket.write('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n');
        const chunk = `1000\r\n${'a'.repeat(0x1000)}\r\n`;
        const more = () => socket.write(chunk, (error) => (error ? undefined : setImmediate(more)));
        more();
      }),
    );
    const { events } = open(server.url, {}, { reconnect: false });
    await until(() => expect(events[0]).toMatch(/^connect_failed: HTTP status 403: a{299}…$/));
  });

  it('connect_failed: no handshake in time, however busy the server pretends to be', async () => {
    const server = await serve(
      tcpServer((socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\n');
        const timer = setInterval(() => socket.write('x-more: 1\r\n'), 10);
        socket.on('close', () => clearInterval(timer));
      }),
    );
    const { events } = open(server.url, { handshakeTimeoutMs: 150 }, { reconnect: false });
    await until(() => expect(events).toEqual(['connect_failed: no answer to the handshake within 0.15 s']));
  });

  it('connect_failed: a redirect is not followed, the key stays here', async () => {
    const other = await serve(webSocketServer());
    const server = await serve(
      tcpServer((socket) => socket.end(`HTTP/1.1 301 Moved\r\nLocation: ${other.url}\r\nContent-Length: 0\r\n\r\n`)),
    );
    const { events } = open(server.url, {}, { reconnect: false });
    await until(() => expect(events).toEqual(['connect_failed: HTTP status 301']));
    expect(other.connections()).toBe(0);
  });

  it('closed: the server closes, and says why', async () => {
    const server = await serve(
      webSocketServer((client) => client.send('{}', () => client.close(1001, 'going\n away'))),
    );
    const { events } = open(server.url, {}, { reconnect: false });
    await until(() => expect(events).toEqual(['connected', 'closed: close code 1001: going away']));
  });

  it('closed: the connection breaks', async () => {
    const server = await serve(webSocketServer((client) => client.send('{}', () => client.terminate())));
    const { events } = open(server.url, {}, { reconnect: false });
    await until(() => expect(events).toEqual(['connected', 'closed: close code 1006']));
  });

  it('timeout: nothing comes and no ping is answered; since when is the last sign of life', async () => {
    const server = await serve(webSocketServer((client) => client.send('{}'), { autoPong: false }));
    const atMs: number[] = [];
    const log = new RecordingLogger();
    const session = new WebSocketSession(
      {
        ...{ url: server.url, reconnect: false, timers: systemTimers, redactText: redactor([]), log },
        settings: { ...QUICK, pingTimeoutMs: 60 },
      },
      {
        connected: (at) => atMs.push(at),
        frames: (_, at) => void atMs.push(at),
        disconnected: (_, at) => atMs.push(at),
      },
    );
    cleanups.push(() => session.stop());
    session.start();
    await until(() => expect(log.values('reason')).toEqual(['timeout']));
    expect(log.values('detail')).toEqual(['no answer to a ping within 0.06 s']);
    expect(atMs[2]).toBe(atMs[1]);
  });

  it('refused: the server says so, before the connection counts', async () => {
    const server = await serve(
      webSocketServer((client) => {
        client.send(`{"error": "Invalid API key:\\u0000 ${KEY}"}`);
        client.close(1008);
      }),
    );
    const { events, log, opened } = open(server.url, {}, { reconnect: false });
    await until(() => expect(events).toEqual(['refused: Invalid API key: [redacted]']));
    expect(opened()).toBe(1);
    expect(log.lines.map((line) => [line.level, line.message])).toEqual([['warn', 'stream refused by the service']]);
  });

  it('refused: the server says so later, and does not even close', async () => {
    const server = await serve(
      webSocketServer((client) => {
        client.send('{"record_type":"update"}');
      }),
    );
    const { events, frames } = open(server.url, {}, { reconnect: false });
    await until(() => expect(events).toEqual(['connected']));
    server.clients[0].send(' { "error" : {"code": 7} }');
    await until(() => expect(events).toEqual(['connected', 'refused: {"code":7}']));
    expect(frames.length).toBe(1);
    await until(() => expect(server.clients.length).toBe(0));
  });

  it('frame_too_large: over the bound, whole or in parts', async () => {
    const server = await serve(
      webSocketServer((client, count) => {
        client.send('x'.repeat(1024));
        if (count === 1) client.send('x'.repeat(1025));
        else for (let i = 0; i < 3; i++) client.send('x'.repeat(512), { fin: false });
      }),
    );
    const { events, frames } = open(server.url);
    await until(() =>
      expect(events.slice(0, 4)).toEqual([
        'connected',
        'frame_too_large: a frame of more than 1024 bytes',
        'connected',
        'frame_too_large: a frame of more than 1024 bytes',
      ]),
    );
    expect(frames[0].length).toBe(1024);
  });

  it('protocol_error: what comes is not WebSocket', async () => {
    const server = await serve(
      tcpServer(upgradeByHand((socket) => socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff])))),
    );
    const { reasons } = open(server.url, {}, { reconnect: false });
    await until(() => expect(reasons).toEqual(['protocol_error']));
  });

  it('stopped: by us, with a closing handshake', async () => {
    const closes: number[] = [];
    const server = await serve(webSocketServer((client) => client.on('close', (code) => closes.push(code))));
    const { session, events } = open(server.url);
    await until(() => expect(events).toEqual(['connected']));
    await session.stop();
    await session.stop();
    expect(events).toEqual(['connected', 'stopped']);
    await until(() => expect(closes).toEqual([1000]));
  });
});

describe('what the service must be told', () => {
  it('is sent when the connection opens, before anything else', async () => {
    const said: string[] = [];
    const server = await serve(webSocketServer((client) => client.on('message', (data) => said.push(String(data)))));
    const { session, events } = open(server.url, {}, { greeting: () => ['{"type":"a"}', '{"type":"b"}'] });
    expect(session.send('{"type":"early"}')).toBe(false);
    await until(() => expect(events).toEqual(['connected']));
    expect(session.send('{"type":"c"}')).toBe(true);
    await until(() => expect(said).toEqual(['{"type":"a"}', '{"type":"b"}', '{"type":"c"}']));
    await session.stop();
    expect(session.send('{"type":"late"}')).toBe(false);
  });
});

describe('a refusal', () => {
  it('is not read from a frame of the stream: it is handed on', async () => {
    const server = await serve(webSocketServer((client) => client.send('{"error":"x","record_type":"update"}')));
    const { frames } = open(server.url);
    await until(() => expect(frames.map(String)).toEqual(['{"error":"x","record_type":"update"}']));
  });
});

describe('the heartbeat', () => {
  const FACTOR = 20;

  /** By which a machine that gives the test no turn is no silence of the server. */
  function pacedTimers() {
    const time = new PacedTime({ factor: FACTOR });
    cleanups.push(async () => time.stop());
    return time.clock();
  }

  it('takes a pong as life', async () => {
    let pings = 0;
    const server = await serve(webSocketServer((client) => client.on('ping', () => pings++)));
    const { events } = open(server.url, { pingIntervalMs: 400, pingTimeoutMs: 8_000 }, { timers: pacedTimers() });
    await until(() => expect(pings).toBeGreaterThan(40)); // twice the time after which silence is death
    expect(events).toEqual(['connected']);
  });

  it('takes any data as life', async () => {
    let sent = 0;
    const server = await serve(
      webSocketServer(
        (client) => {
          const timer = setInterval(() => client.send(String(++sent)), 200 / FACTOR);
          client.on('close', () => clearInterval(timer));
        },
        { autoPong: false },
      ),
    );
    const { events, frames } = open(
      server.url,
      { pingIntervalMs: 400, pingTimeoutMs: 8_000 },
      { timers: pacedTimers() },
    );
    await until(() => expect(frames.length).toBeGreaterThan(80));
    expect(events).toEqual(['connected']);
  });

  it('does not take a pause of ours for silence of the server', async () => {
    let pings = 0;
    const server = await serve(webSocketServer((client) => client.on('ping', () => pings++), { autoPong: false }));
    const { session, events } = open(server.url, { pingTimeoutMs: 60 });
    session.pause();
    await until(() => expect(pings).toBeGreaterThan(8));
    expect(events).toEqual(['connected']);
    session.resume();
    await until(() => expect(events[1]).toMatch(/^timeout/));
  });
});
