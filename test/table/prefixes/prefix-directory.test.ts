import { describe, expect, it } from 'vitest';
import { UNKNOWN, UNMONITORED } from '../../../src/bgp/route-integers.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import { Replay } from '../../support/replay.ts';
import { START_MS, watchedPrefix } from '../../support/table-world.ts';
import { asWords } from '../../support/text-words.ts';

const P = '198.51.100.0/24';
const INNER = '198.51.100.0/25';
const ELSEWHERE = '192.0.2.0/24';

function world(watched: readonly string[]) {
  const table = new RoutingTable();
  const watch = (texts: readonly string[]) =>
    table.watch(
      texts.map((text) => watchedPrefix(text)),
      START_MS,
    );
  watch(watched);
  const { prefixes } = table;
  return {
    prefixes,
    watch,
    byWords: (text: string) => prefixes.findWords(...asWords(text)),
  };
}

describe('prefixes by the bytes of a message', () => {
  it('a monitored one is known at once, a more-specific when it was announced, another when it was met', () => {
    const { prefixes, byWords } = world([P]);
    expect([P, INNER, ELSEWHERE].map(byWords)).toEqual([prefixes.find(P)!.number + 1, UNKNOWN, UNKNOWN]);
    prefixes.resolve(INNER, true);
    prefixes.resolve(ELSEWHERE, true);
    expect([INNER, ELSEWHERE].map(byWords)).toEqual([prefixes.find(INNER)!.number + 1, UNMONITORED]);
  });

  it('a withdrawn more-specific that nobody announced stays unknown', () => {
    const { prefixes, byWords } = world([P]);
    expect(prefixes.resolve(INNER, false)).toBe('unknown_more_specific');
    expect(byWords(INNER)).toBe(UNKNOWN);
  });

  it('nothing that was not monitored is taken for that when more is monitored', () => {
    const { prefixes, watch, byWords } = world([P]);
    prefixes.resolve(ELSEWHERE, true);
    prefixes.resolve('192.0.2.128/25', true);
    watch([P, ELSEWHERE]);
    expect(byWords(ELSEWHERE)).toBe(prefixes.find(ELSEWHERE)!.number + 1);
    expect(byWords('192.0.2.128/25')).toBe(UNKNOWN);
    expect(byWords(P)).toBe(prefixes.find(P)!.number + 1);
    watch([P]);
    expect(byWords(ELSEWHERE)).toBe(UNKNOWN);
  });

  it('of those that nobody asked for a bounded number is remembered, and no state is lost over it', () => {
    const { prefixes, byWords } = world([P]);
    for (let i = 0; i < 270_000; i++) prefixes.resolve(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`, true);
    expect(byWords('10.0.0.0/32')).toBe(UNKNOWN);
    expect(byWords('10.4.0.1/32')).toBe(UNMONITORED);
    expect(byWords(P)).toBe(prefixes.find(P)!.number + 1);
  });

  it('one met again and again is remembered once', () => {
    const { prefixes, byWords } = world([P]);
    prefixes.resolve(ELSEWHERE, true);
    for (let i = 0; i < 270_000; i++) prefixes.resolve('10.0.0.0/8', true);
    expect(byWords(ELSEWHERE)).toBe(UNMONITORED);
  });
});

describe('the canary', () => {
  it.each([
    ['monitored by nobody', [P], ELSEWHERE],
    ['monitored', [P], P],
    ['inside a monitored prefix', [P], INNER],
  ])('is never known by its bytes, so that each of its events is seen: %s', (_, watched, canary) => {
    const { prefixes, watch, byWords } = world(watched);
    prefixes.canary = canary;
    for (const again of [watched, [...watched, '203.0.113.0/24'], watched]) {
      watch(again);
      prefixes.resolve(canary, true);
      expect(byWords(canary)).toBe(UNKNOWN);
    }
    prefixes.canary = undefined;
    watch([...watched, '203.0.113.0/24']);
    prefixes.resolve(canary, true);
    expect(byWords(canary)).not.toBe(UNKNOWN);
  });

  it.each([P, INNER, ELSEWHERE])('is heard at every event, also when it is monitored itself: %s', (canary) => {
    const replay = new Replay({ watched: [watchedPrefix(P)], startMs: START_MS, canary });
    for (let i = 0; i < 4; i++) {
      const list = i % 2 === 0 ? { prefixes: canary, 'as-path': '64501 64500' } : { withdraws: canary };
      replay.play([
        JSON.stringify({
          record_type: 'update',
          vp: '64496_192.0.2.1',
          sec: START_MS / 1000 + 60 * i,
          Usec: 0,
          ...list,
        }),
      ]);
      expect(replay.feed.canaryAtMs).toBe(replay.nowMs);
    }
  });
});
