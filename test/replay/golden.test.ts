/** A fixed recording, with fixed clocks, comes to the same scrape to the last byte. UPDATE_GOLDEN=1 writes the files anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ExpositionFormat } from '../../src/outputs/text/negotiation.ts';
import type { WatchedPrefix } from '../../src/table/prefixes/prefix-state.ts';
import { RECORDED_PREFIXES, recordingLines } from '../fixtures/make-recording.ts';
import { readExposition, seriesOf } from '../support/exposition.ts';
import { fixturePath, readLines } from '../support/recordings.ts';
import { Replay } from '../support/replay.ts';
import { watchedPrefix } from '../support/table-world.ts';

const UPDATE = process.env.UPDATE_GOLDEN === '1';
const RECORDING = fixturePath('recording.jsonl');
const GOLDEN: Readonly<Record<ExpositionFormat, string>> = {
  text: fixturePath('golden.prom'),
  openmetrics: fixturePath('golden.om'),
};

const SAID: readonly Partial<WatchedPrefix>[] = [
  { description: 'customer "block"\nZürich', group: 'core', origins: [64500, 64510], upstreams: [64496, 64497] },
  { description: 'back\\slash', origins: [64500] },
  {},
  { group: 'v6', upstreams: [65550] },
];
const watched = RECORDED_PREFIXES.map((text, i) => watchedPrefix(text, SAID[i]));

function replay(decoder: 'fast' | 'general'): Replay {
  const made = new Replay({ watched, startMs: 1_699_999_990_000, decoder });
  made.play(readLines(RECORDING));
  return made;
}

describe('the recording of the fixtures', () => {
  it('is what its generator writes', () => {
    if (UPDATE) writeFileSync(RECORDING, `${recordingLines().join('\n')}\n`);
    expect(readLines(RECORDING)).toEqual(recordingLines());
    expect(recordingLines().length).toBeGreaterThan(200);
  });

  it.each(['text', 'openmetrics'] as const)('gives the golden scrape (%s)', (format) => {
    const body = replay('fast').render(format).toString();
    if (UPDATE) writeFileSync(GOLDEN[format], body);
    expect(body).toBe(readFileSync(GOLDEN[format], 'utf8'));
  });

  it('gives the same scrape when it is scraped after every line', () => {
    const often = new Replay({ watched, startMs: 1_699_999_990_000 });
    for (const line of readLines(RECORDING)) {
      often.play([line]);
      often.render('text');
    }
    expect(often.render('text').toString()).toBe(readFileSync(GOLDEN.text, 'utf8'));
  });

  it('gives the same scrape by the general decoder alone, but for the count of slow decodes', () => {
    const general = seriesOf(readExposition(replay('general').render('text'), 'text'));
    const fast = seriesOf(readExposition(replay('fast').render('text'), 'text'));
    const slow = 'bgp_stream_slow_decodes_total{session="0",source="bgproutes"}';
    expect(general.get(slow)).toBe(recordingLines().length);
    expect(fast.get(slow)).toBeLessThan(general.get(slow)! / 2);
    expect([...general].filter(([name]) => name !== slow)).toEqual([...fast].filter(([name]) => name !== slow));
  });

  it('has events of every kind: no counter of events, and no known reason to refuse one, stays at 0', () => {
    const series = seriesOf(readExposition(replay('fast').render('text'), 'text'));
    const sum = (start: string) =>
      [...series].filter(([name]) => name.startsWith(start)).reduce((total, [, value]) => total + value, 0);
    for (const name of ['announcements', 'withdrawals', 'path_changes', 'origin_changes', 'repeats', 'vp_gains'])
      expect([name, sum(`bgp_prefix_${name}_total`) > 0]).toEqual([name, true]);
    for (const reason of [
      'invalid_json',
      'not_an_object',
      'unknown_record_type',
      'invalid_vp',
      'invalid_bmp_peer',
      'invalid_time',
      'invalid_prefix',
      'invalid_as_path',
      'missing_as_path',
      'no_prefix',
      'withdrawal_without_prefix',
    ])
      expect([reason, sum(`bgp_stream_decode_failures_total{reason="${reason}"`)]).toEqual([reason, 1]);
    expect(sum('bgp_stream_dropped_events_total{reason="out_of_order"')).toBeGreaterThan(0);
    expect(sum('bgp_stream_unmonitored_prefixes_total')).toBeGreaterThan(0);
  });

  it('twice gives the same table', () => {
    const once = replay('fast');
    const twice = replay('fast');
    twice.play(readLines(RECORDING));
    const gauges = (of: Replay) =>
      [...readExposition(of.render('text'), 'text')]
        .filter(([name, { type }]) => type === 'gauge' && name.startsWith('bgp_prefix_'))
        .map(([name, { samples }]) => [name, samples]);
    expect(gauges(twice)).toEqual(gauges(once));
    expect(twice.table.paths.size).toBe(once.table.paths.size);
  });
});
