import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { webSocketServer } from '../../stream/test-servers.ts';
import { until } from '../../support/patience.ts';
import { cleanups, connect, take } from './client-world.ts';

const FRAMES = 40_000;

function frameOf(number: number): string {
  return JSON.stringify({
    record_type: 'update',
    vp: '3333_193.0.0.56',
    sec: 1_700_000_000 + number,
    Usec: 0,
    prefixes: '192.23.62.0/24',
    'as-path': '3333 1103 64500',
    communities: '3333:100 '.repeat(40).trim(),
  });
}

describe('a slow reader', () => {
  it('makes the server wait, keeps a bounded number of frames, and loses none', async () => {
    let client: WebSocket | undefined;
    const server = await webSocketServer((socket) => {
      client = socket;
      // About 20 MB: more than sockets and the queue hold.
      for (let i = 0; i < FRAMES; i++) socket.send(frameOf(i));
    });
    cleanups.push(() => server.close());
    const reader = connect({ websocketUrl: server.url.origin, url: 'http://127.0.0.1:1' });
    const iterator = reader.messages();
    expect(await take(iterator)).toMatchObject({ timestamp: 1_700_000_000 });
    // The reader does nothing: after a while nothing moves any more, and the server still has most of it.
    let before = -1;
    await until(() => {
      const { frames } = reader.stats;
      const isStill = frames === before;
      before = frames;
      expect(isStill && frames >= 1_000).toBe(true);
    }, 300);
    const { frames } = reader.stats;
    expect(frames).toBeLessThan(3_000);
    expect(client?.bufferedAmount).toBeGreaterThan(5_000_000);

    for (let number = 1; number < FRAMES; number++) {
      const { timestamp } = await take(iterator);
      if (timestamp !== 1_700_000_000 + number) expect(timestamp).toBe(1_700_000_000 + number);
    }
    expect(reader.stats).toMatchObject({ frames: FRAMES, messages: FRAMES, droppedFrames: 0, connects: 1 });
    expect(client?.bufferedAmount).toBe(0);
  });
});
