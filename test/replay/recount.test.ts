/** The counts that a recording leads to are those that a naive reading of the file gives. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { decodeMessage } from '../../src/bgproutes/live/message.ts';
import { RECORDED_PREFIXES } from '../fixtures/make-recording.ts';
import { naiveCounts, naiveRecount } from '../support/naive-recount.ts';
import { fixturePath, readLines, recordingPath } from '../support/recordings.ts';
import { Replay } from '../support/replay.ts';
import { keptTotals } from '../support/table-recount.ts';
import { watchedPrefix } from '../support/table-world.ts';

function replay(lines: readonly string[], prefixes: readonly string[], decoder: 'fast' | 'general' = 'fast'): Replay {
  const made = new Replay({ watched: prefixes.map((text) => watchedPrefix(text)), startMs: 0, decoder });
  made.play(lines);
  return made;
}

function counts(of: Replay, prefix: string) {
  const { visible, origins, lengths } = keptTotals(of.table, of.table.prefixes.find(prefix)!.monitored!);
  return { visible, origins, lengths };
}

describe('the recording of the fixtures', () => {
  // The naive reading knows no broken lines and no other spellings: those are left out by what is written in them.
  const odd =
    /^not json|^\[|peer_state|"64499"|sixtyfour|yesterday|010\.0|203\.0\.113\.9|0DB8|"prefixes":""|"Usec":\d+\}$/;
  const incomplete = (line: string) =>
    (line.includes('"prefixes"') && !line.includes('"as-path"')) ||
    (line.includes('bmp_update') && !line.includes('bmp_peer'));
  const all = readLines(fixturePath('recording.jsonl'));
  const lines = all.filter((line) => !odd.test(line) && !incomplete(line));
  const withdrawnKeys = ['withdraws', 'withdrawn', 'withdrawals', 'nobody_has_documented_this'];

  it.each(['fast', 'general'] as const)(
    'leads to the counts of a naive reading, for each prefix and origin (%s)',
    (decoder) => {
      expect(lines.length).toBeGreaterThan(200);
      expect(all.length - lines.length).toBe(11 + 22 + 5);
      const naive = naiveRecount(lines, RECORDED_PREFIXES, { withdrawnKeys });
      const played = replay(lines, RECORDED_PREFIXES, decoder);
      for (const prefix of RECORDED_PREFIXES) {
        expect([prefix, counts(played, prefix)]).toEqual([prefix, naiveCounts(naive.get(prefix))]);
        expect(naive.get(prefix)?.size).toBeGreaterThan(prefix.startsWith('203') ? -1 : 5);
      }
    },
  );

  it('does so after every single line', () => {
    const made = replay([], RECORDED_PREFIXES);
    let at = 0;
    naiveRecount(lines, RECORDED_PREFIXES, {
      withdrawnKeys,
      afterLine: (table) => {
        made.play([lines[at++]]);
        for (const prefix of RECORDED_PREFIXES) expect(counts(made, prefix)).toEqual(naiveCounts(table.get(prefix)));
      },
    });
    expect(at).toBe(lines.length);
  });
});

const hijack = recordingPath('tenpfx-telegram-hijack-20260616.jsonl.gz');
if (hijack !== undefined) {
  describe('the hijack of 2026-06-16, as RIPE RIS saw it', () => {
    const lines = readLines(hijack);
    const messages = lines.map((line) => JSON.parse(line) as { prefixes?: string; withdraws?: string; sec: number });
    const prefixes = [
      ...new Set(messages.flatMap(({ prefixes, withdraws }) => `${prefixes ?? ''},${withdraws ?? ''}`.split(','))),
    ].filter((text) => text !== '');

    it.each(['fast', 'general'] as const)(
      'every line decodes, and each prefix and origin has the counts of a naive reading (%s)',
      (decoder) => {
        expect(prefixes).toHaveLength(10);
        const naive = naiveRecount(lines, prefixes);
        const played = replay(lines, prefixes, decoder);
        expect(Object.values(played.feed.decodeFailures).reduce((sum, count) => sum + count, 0)).toBe(0);
        expect(played.feed.counts.dropped.out_of_order).toBe(0);
        for (const prefix of prefixes)
          expect([prefix, counts(played, prefix)]).toEqual([prefix, naiveCounts(naive.get(prefix))]);
      },
    );

    const truthPath = recordingPath('event-telegram-truth.json');
    if (truthPath === undefined) return;
    it('what is known of the event shows in the table, at the second', () => {
      const truth = JSON.parse(readLines(truthPath).join('\n')) as Record<
        string,
        Record<string, number | string | null>
      >;
      const made = replay([], prefixes);
      const seen = new Map(prefixes.map((prefix) => [prefix, { max: 0, at: '', cleared: null as string | null }]));
      for (const [i, line] of lines.entries()) {
        made.play([line]);
        const at = new Date(messages[i].sec * 1000).toISOString().slice(5, 19);
        for (const [prefix, best] of seen) {
          const now = counts(made, prefix).origins['18101'] ?? 0;
          if (now > best.max) Object.assign(best, { max: now, at });
          if (now > 0) best.cleared = null;
          else if (best.max > 0) best.cleared ??= at;
        }
      }
      for (const prefix of prefixes) {
        const { max_vps_on_AS18101, max_at, cleared_at, vps_left_at_end } = truth[prefix];
        const best = seen.get(prefix)!;
        expect([prefix, best.max, best.at, best.cleared]).toEqual([prefix, max_vps_on_AS18101, max_at, cleared_at]);
        expect(counts(made, prefix).origins['18101'] ?? 0).toBe(vps_left_at_end);
      }
    });
  });
}

const routeViews = recordingPath('updates-rv-route-views2-20260222T1530.jsonl.gz');
if (routeViews !== undefined) {
  describe('a quarter of an hour of route-views2', () => {
    const lines = readLines(routeViews);
    const prefixes = busiest(lines, 1_000);

    it('every line decodes', () => {
      const undecoded = lines.filter((line) => {
        const result = decodeMessage(line);
        return !result.ok || result.failures.length > 0;
      });
      expect(undecoded).toEqual([]);
    });

    it('a thousand prefixes have the counts of a naive reading', () => {
      const naive = naiveRecount(lines, prefixes);
      const played = replay(lines, prefixes);
      expect(played.feed.counts.dropped.out_of_order).toBe(0);
      for (const prefix of prefixes)
        expect([prefix, counts(played, prefix)]).toEqual([prefix, naiveCounts(naive.get(prefix))]);
    });

    it('looped to 200,000 messages, takes no more memory from one loop to the next', () => {
      const made = replay([], prefixes);
      let loops = 0;
      /** The same quarter of an hour once more, later: all routes change as they did. */
      const loop = () => {
        const laterBySec = 1_000 * loops++;
        made.play(lines.map((line) => line.replace(/"sec":(\d+)/, (_, sec) => `"sec":${Number(sec) + laterBySec}`)));
        made.render('text');
        made.render('openmetrics');
      };
      loop();
      loop();
      const { paths, vps, cells, routes } = made.table;
      const before = { paths: paths.size, vps: vps.size, bytes: cells.bytes, routes, heap: heapUsed() };
      loop();
      loop();
      loop();
      const after = {
        paths: paths.size,
        vps: vps.size,
        bytes: cells.bytes,
        routes: made.table.routes,
        heap: heapUsed(),
      };
      expect(lines.length * loops).toBeGreaterThan(200_000);
      expect(made.feed.counts.dropped.out_of_order).toBe(0);
      expect({ ...after, heap: 0 }).toEqual({ ...before, heap: 0 });
      expect(after.heap - before.heap).toBeLessThan(4 * 1024 * 1024);
    });
  });
}

/** The prefixes with the most messages, nested ones among them. */
function busiest(lines: readonly string[], count: number): string[] {
  const messages = new Map<string, number>();
  for (const line of lines) {
    const { prefixes, withdraws } = JSON.parse(line) as { prefixes?: string; withdraws?: string };
    for (const prefix of `${prefixes ?? ''},${withdraws ?? ''}`.split(','))
      if (prefix !== '') messages.set(prefix, (messages.get(prefix) ?? 0) + 1);
  }
  return [...messages]
    .filter(([prefix]) => parsePrefix(prefix)?.text === prefix)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, count)
    .map(([prefix]) => prefix);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
