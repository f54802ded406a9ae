/** Who has a place among the open pages, where connections end at awkward moments. */
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EventHub, MAX_TOLD_A_TICK } from '../../../src/outputs/page/event-hub.ts';
import type { PageFacts } from '../../../src/outputs/page/page-facts.ts';

const STATUS = { now: '2026-01-01T00:00:00.000Z', routes: 0, streams: [] };
const noPrefix = { prefixes: () => [], status: () => STATUS } as unknown as PageFacts;
const FROM = { address: '192.0.2.1', isPacked: false } as const;
const OVERVIEW = { ...FROM, topic: { kind: 'overview' } } as const;

/** Answers one request by `answer`, over a real socket. */
async function answered(answer: (response: ServerResponse, leave: () => void) => Promise<void>): Promise<void> {
  let leave = () => {};
  const server = createServer();
  const done = new Promise<void>((resolve, reject) => {
    server.on('request', (_, response) => {
      answer(response, () => leave()).then(resolve, reject);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const request = get({ port: (server.address() as AddressInfo).port, agent: false }, (response) => {
    response.on('error', () => {}).resume();
  });
  request.on('error', () => {});
  leave = () => request.destroy();
  try {
    await done;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('a hub of events', () => {
  it('gives no place to a page that left before its turn came', () =>
    answered(async (response, leave) => {
      const closed = new Promise((resolve) => response.once('close', resolve));
      leave();
      await closed;
      const hub = new EventHub(noPrefix, () => 0);
      hub.add({ response, ...OVERVIEW });
      expect(hub.clients).toBe(0);
    }));

  it('says nothing more after its end', () =>
    answered(async (response) => {
      const hub = new EventHub(noPrefix, () => 0);
      response.writeHead(200);
      hub.add({ response, ...OVERVIEW });
      const errors: unknown[] = [];
      response.on('error', (error) => errors.push(error));
      hub.close();
      for (const _ of hub.publish());
      await new Promise((resolve) => response.once('close', resolve));
      expect(errors).toEqual([]);
      expect(hub.clients).toBe(0);
    }));
});

describe('in a storm', () => {
  const COUNT = 1_000;
  interface Prefix {
    readonly state: { readonly prefix: { readonly text: string } };
    version: number;
    standing: string;
  }

  function storm() {
    const prefixes = Array.from(
      { length: COUNT },
      (_, i): Prefix => ({
        state: { prefix: { text: `p${i}` } },
        version: 0,
        standing: 'ok',
      }),
    );
    const facts = {
      prefixes: () => prefixes,
      status: () => STATUS,
      versionOf: ({ version }: Prefix) => String(version),
      standing: ({ standing }: Prefix) => standing,
      summary: ({ state, version, standing }: Prefix) => {
        summaries.push(state.prefix.text);
        return { prefix: state.prefix.text, version, state: standing };
      },
      find: (text: string) => prefixes.find(({ state }) => state.prefix.text === text),
      detail: ({ state }: Prefix) => ({ prefix: state.prefix.text }),
    } as unknown as PageFacts;
    const written: string[] = [];
    const summaries: string[] = [];
    let close = () => {};
    const response = {
      write: (bytes: Buffer | string) => {
        written.push(bytes.toString());
        return true;
      },
      on: () => response,
      once: (_: string, listener: () => void) => {
        close = listener;
        return response;
      },
    };
    let first: Generator<void, void> | undefined;
    const hub = new EventHub(
      facts,
      () => 0,
      (steps) => {
        first = steps;
      },
    );
    return {
      ...{ prefixes, hub },
      open: () => hub.add({ response: response as unknown as ServerResponse, ...OVERVIEW }),
      own: (prefix: string) =>
        hub.add({
          ...{ response: response as unknown as ServerResponse, ...FROM },
          topic: { kind: 'prefix', prefix, window: '1h' },
        }),
      /** Prefixes whose summaries were made since this was last asked. */
      summaries: () => summaries.splice(0),
      leave: () => close(),
      /** Prefixes that were told since this was last asked, and whether it was all of them. */
      told: () => {
        const events = written.splice(0).filter((text) => text.startsWith('event: prefixes'));
        const data = events.map(
          (text) =>
            JSON.parse(text.slice(text.indexOf('{'))) as {
              all: boolean;
              prefixes: { prefix: string; version: number; state: string }[];
            },
        );
        return { all: data.some(({ all }) => all), list: data.flatMap(({ prefixes: some }) => some) };
      },
      tick: () => {
        let steps = 0;
        for (const _ of first ?? hub.publish()) steps++;
        first = undefined;
        return steps;
      },
      blow: () => {
        for (const prefix of prefixes) prefix.version++;
      },
    };
  }

  it('a new page is told all, in steps between which others have their turn', () => {
    const { open, tick, told } = storm();
    open();
    expect(told()).toEqual({ all: false, list: [] });
    expect(tick()).toBeGreaterThan(COUNT);
    const { all, list } = told();
    expect([all, list.length]).toEqual([true, COUNT]);
    tick();
    expect(told().list).toEqual([]);
  });

  it('tells who changed its state at once, and of all others so many a second, each in its turn', () => {
    const { prefixes, open, tick, told, blow } = storm();
    open();
    tick();
    told();
    const heard = new Map<string, number>();
    for (let second = 0; second < COUNT / MAX_TOLD_A_TICK; second++) {
      blow();
      const struck = prefixes[(second + 1) * 37];
      struck.standing = `outage ${second}`;
      tick();
      const { all, list } = told();
      expect([all, list.length]).toEqual([false, MAX_TOLD_A_TICK + 1]);
      expect(list).toContainEqual({
        ...{ prefix: struck.state.prefix.text, version: struck.version, state: struck.standing },
      });
      for (const { prefix } of list) heard.set(prefix, (heard.get(prefix) ?? 0) + 1);
    }
    expect(heard.size).toBeGreaterThanOrEqual(COUNT - COUNT / MAX_TOLD_A_TICK);
    // When the wind drops every page has the last numbers within as many seconds.
    const last = new Map<string, number>();
    for (let second = 0; second < COUNT / MAX_TOLD_A_TICK; second++) {
      tick();
      for (const { prefix, version } of told().list) last.set(prefix, version);
    }
    const [{ version }] = prefixes;
    const late = prefixes.filter(({ state }) => last.get(state.prefix.text) !== version);
    expect(late.length).toBeLessThanOrEqual(MAX_TOLD_A_TICK + 1);
    tick();
    expect(told().list).toEqual([]);
  });

  it('a page of one prefix costs the summary of that prefix alone, and is told first', () => {
    const { open, tick, told, blow, summaries, own } = storm();
    own('p999');
    tick();
    expect(summaries()).toEqual(['p999']);
    blow();
    tick();
    expect(summaries()).toEqual(['p999']);
    // An overview wants all of them, at once.
    open();
    tick();
    expect(told().list.length).toBe(COUNT);
    summaries();
    blow();
    tick();
    expect(summaries()[0]).toBe('p999');
  });

  it('a client that leaves in the middle costs nothing more, and one that comes then gets everything', () => {
    const { hub, open, leave, tick, told, blow } = storm();
    open();
    tick();
    told();
    blow();
    const steps = hub.publish();
    for (let i = 0; i < 10; i++) steps.next();
    leave();
    open();
    // The run that was begun when the new page came leaves it to the one that goes on.
    expect(tick()).toBe(0);
    expect(told().list).toEqual([]);
    let left = 0;
    while (steps.next().done !== true) left++;
    expect(left).toBeGreaterThan(COUNT);
    expect(left).toBeLessThan(COUNT + 10);
    const { all, list } = told();
    expect([all, list.length]).toEqual([true, COUNT]);
  });

  it('who comes in the middle of it misses nothing', () => {
    const { hub, open, tick, told, prefixes } = storm();
    open();
    tick();
    told();
    for (const prefix of prefixes.slice(0, 100)) prefix.version++;
    const steps = hub.publish();
    for (let i = 0; i < 50; i++) steps.next();
    open();
    for (const _ of steps);
    const versions = new Map<string, number>();
    for (const { prefix, version } of told().list) versions.set(prefix, version);
    expect(versions).toEqual(new Map(prefixes.map(({ state, version }) => [state.prefix.text, version])));
  });
});
