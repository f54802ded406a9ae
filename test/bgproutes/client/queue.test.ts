import { describe, expect, it } from 'vitest';
import type { ConnectedEvent, DisconnectedEvent } from '../../../src/bgproutes/client/events.ts';
import { ClientQueue, type QueueBounds } from '../../../src/bgproutes/client/queue.ts';

const BOUNDS: QueueBounds = { highFrames: 4, highBytes: 40, lowFrames: 2, lowBytes: 20, maxItems: 6, maxBytes: 60 };

function frame(text: string): Buffer {
  return Buffer.from(text);
}

function disconnected(atMs: number): DisconnectedEvent {
  return { type: 'disconnected', atMs, reason: 'closed', detail: '', refused: false, willReconnect: true };
}

function connected(atMs: number): ConnectedEvent {
  return { type: 'connected', atMs, gapMs: undefined };
}

/** Everything in it, in order: texts of frames, types and times of events. */
function drain(queue: ClientQueue): string[] {
  const seen: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    if (item.type === 'frame') seen.push(item.data.toString());
    else if (item.type === 'dropped') seen.push(`dropped ${item.frames} ${item.bytes}`);
    else seen.push(`${item.type} ${item.atMs}`);
  }
  return seen;
}

describe('the queue', () => {
  it('keeps the order of frames and events', () => {
    const queue = new ClientQueue(BOUNDS);
    queue.pushEvent(connected(1));
    queue.pushFrame(frame('a'), 1);
    queue.pushEvent(disconnected(2));
    queue.pushEvent(connected(3));
    queue.pushFrame(frame('b'), 1);
    expect(drain(queue)).toEqual(['connected 1', 'a', 'disconnected 2', 'connected 3', 'b']);
    expect(queue.shift()).toBeUndefined();
  });

  it('keeps it over many thousands', () => {
    const queue = new ClientQueue();
    let next = 0;
    let read = 0;
    while (read < 50_000) {
      for (let i = 0; i < 7; i++) queue.pushFrame(frame(String(next++)), 0);
      for (let i = 0; i < 7; i++) {
        const item = queue.shift();
        expect(item?.type === 'frame' && item.data.toString()).toBe(String(read++));
      }
    }
  });

  it('asks for a pause at its high-water mark and for more below its low one', () => {
    const queue = new ClientQueue(BOUNDS);
    for (const text of ['a', 'b', 'c']) queue.pushFrame(frame(text), 0);
    expect(queue.wantsPause).toBe(false);
    queue.pushFrame(frame('d'), 0);
    expect(queue.wantsPause).toBe(true);
    queue.shift();
    queue.shift();
    expect(queue.wantsPause).toBe(true);
    queue.shift();
    expect(queue.wantsPause).toBe(false);
    queue.pushFrame(frame('x'.repeat(39)), 0);
    expect(queue.wantsPause).toBe(true);
    queue.clear();
    expect(queue.wantsPause).toBe(false);
  });

  it('counts frames that it has no room for, and tells when all else was read', () => {
    const queue = new ClientQueue(BOUNDS);
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) expect(queue.pushFrame(frame(text), 0)).toBe(true);
    expect(queue.pushFrame(frame('gg'), 0)).toBe(false);
    // Room again, but what is kept must not come after what was not.
    queue.shift();
    queue.shift();
    expect(queue.pushFrame(frame('hhh'), 0)).toBe(false);
    expect(queue.wantsPause).toBe(true);
    expect(drain(queue)).toEqual(['c', 'd', 'e', 'f', 'dropped 2 5']);
    expect(queue.wantsPause).toBe(false);
    expect(queue.pushFrame(frame('i'), 0)).toBe(true);
    expect(drain(queue)).toEqual(['i']);
  });

  it('is bounded in bytes too', () => {
    const queue = new ClientQueue(BOUNDS);
    expect(queue.pushFrame(frame('x'.repeat(60)), 0)).toBe(true);
    expect(queue.pushFrame(frame('y'), 0)).toBe(false);
    expect(drain(queue)).toEqual(['x'.repeat(60), 'dropped 1 1']);
  });

  it('keeps only the newest of attempts that fail one after the other', () => {
    const queue = new ClientQueue(BOUNDS);
    for (let i = 1; i <= 1_000; i++) queue.pushEvent(disconnected(i));
    queue.pushEvent(connected(1_001));
    expect(drain(queue)).toEqual(['disconnected 1000', 'connected 1001']);
  });

  it('does not grow with the events of a connection that comes and goes', () => {
    const queue = new ClientQueue(BOUNDS);
    queue.pushFrame(frame('a'), 0);
    for (let i = 1; i <= 1_000; i++) {
      queue.pushEvent(disconnected(i));
      queue.pushEvent(connected(i));
      queue.pushFrame(frame('b'), 0);
    }
    const seen = drain(queue);
    expect(seen.length).toBeLessThanOrEqual(BOUNDS.maxItems + 3);
    expect(seen.slice(-3)).toEqual(['dropped 999 999', 'disconnected 1000', 'connected 1000']);
  });

  it('tells of an overflow that a connection is gone when it is', () => {
    const queue = new ClientQueue(BOUNDS);
    for (let i = 0; i < 6; i++) queue.pushFrame(frame('a'), 0);
    queue.pushEvent(connected(1));
    queue.pushEvent(disconnected(2));
    expect(drain(queue).slice(6)).toEqual(['disconnected 2']);
  });
});
