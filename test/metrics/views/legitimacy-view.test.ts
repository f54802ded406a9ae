import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAsPath } from '../../../src/bgp/as-path.ts';
import { anomaliesOf, anomalyNames, PATH_ANOMALIES, TRANSIT_FREE } from '../../../src/bgp/path-sanity.ts';
import { PathVerdicts } from '../../../src/metrics/path-verdicts.ts';
import { LegitimacyView } from '../../../src/metrics/views/legitimacy-view.ts';
import { RpkiView } from '../../../src/metrics/views/rpki-view.ts';
import { TextWriter } from '../../../src/outputs/text/prometheus.ts';
import { VrpReader } from '../../../src/rpki/json/vrp-reader.ts';
import { VALIDITIES, validate } from '../../../src/rpki/origin-validation.ts';
import { ASPA_VERDICTS, verifyDownstream } from '../../../src/rpki/path-verification.ts';
import { RpkiData } from '../../../src/rpki/rpki-data.ts';
import type { RpkiScope } from '../../../src/rpki/scope.ts';
import { RpkiSourceState } from '../../../src/rpki/source-state.ts';
import { ValidatedData } from '../../../src/rpki/validated-data.ts';
import { Fold, FoldCounts } from '../../../src/table/fold.ts';
import type { WatchedPrefix } from '../../../src/table/prefixes/prefix-state.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import { prefixOf, type VrpText, vrpOf } from '../../rpki/vrp-world.ts';
import { readExposition, seriesOf } from '../../support/exposition.ts';
import { runs } from '../../support/property-runs.ts';
import { readLines, recordingPath } from '../../support/recordings.ts';
import { START_MS, watchedPrefix } from '../../support/table-world.ts';

const P = '198.51.100.0/24';
const RULES = { transitFree: new Set(TRANSIT_FREE), allowed: new Set<number>() };
const HOUR_MS = 3_600_000;

/** A source that has what it is told to have. */
class GivenSource {
  readonly state = new RpkiSourceState();
  scope: RpkiScope;

  constructor(scope: RpkiScope) {
    this.scope = scope;
  }

  start(): void {}
  watch(scope: RpkiScope): void {
    this.scope = scope;
  }
  async stop(): Promise<void> {}

  give(nowMs: number, vrps: readonly VrpText[], aspas: Readonly<Record<string, readonly number[]>> = {}): void {
    const data = new RpkiData(this.scope, nowMs / 1_000, this.state.data);
    for (const vrp of vrps) data.addVrp(vrpOf(vrp), 'ripe');
    for (const [customer, providers] of Object.entries(aspas)) data.addAspa(Number(customer), providers, 0);
    this.state.replaced(data);
    this.state.confirmed('success', nowMs, nowMs, nowMs + HOUR_MS);
  }
}

/** Runs all slices at once. */
function atOnce(steps: Generator<void, void>): void {
  while (steps.next().done !== true);
}

function world(
  watched: readonly WatchedPrefix[],
  rules: typeof RULES | 'none' = RULES,
  inSlices: (steps: Generator<void, void>) => void = atOnce,
) {
  const table = new RoutingTable();
  table.watch(watched, START_MS);
  const fold = new Fold(table);
  const counts = new FoldCounts();
  const clock = { nowMs: START_MS };
  let source: GivenSource | undefined;
  const validated = new ValidatedData(
    watched.map(({ prefix }) => prefix),
    (scope) => {
      source = new GivenSource(scope);
      return [source];
    },
  );
  if (source === undefined) throw new Error('no source was made');
  const paths = rules === 'none' ? undefined : rules;
  const view = new LegitimacyView({
    ...{ table, validated, paths, unixMs: () => clock.nowMs },
    verdicts: new PathVerdicts(table.paths, paths, inSlices),
  });
  const sources = new RpkiView(validated, START_MS, () => clock.nowMs);
  const writer = new TextWriter('text');
  let timeUs = START_MS * 1_000;
  let vps = 0;
  const say = (vp: number, prefix: string, asPath: string | undefined) =>
    fold.apply(
      {
        vp: { protocol: 'bgp', asn: 64496, ip: `10.0.${vp >> 8}.${vp & 255}` },
        timeUs: timeUs++,
        announced: asPath === undefined ? [] : [prefix],
        withdrawn: asPath === undefined ? [prefix] : [],
        ...(asPath !== undefined && { attributes: { asPath, communities: '', nextHop: '', originAttribute: '' } }),
      },
      0,
      counts,
      START_MS,
    );
  const series = (): Record<string, number> =>
    Object.fromEntries(seriesOf(readExposition(writer.render([view.collect(), sources.collect()]), 'text')));
  return {
    ...{ table, view, validated, source, clock, say, series },
    /** So many more VPs see the prefix over the path. */
    see: (prefix: string, asPath: string, count = 1) => {
      for (let i = 0; i < count; i++) say(vps++, prefix, asPath);
    },
    /** Values other than 0 of one metric of P, by its last label but prefix. */
    by: (name: string, prefix = P) =>
      Object.fromEntries(
        Object.entries(series()).flatMap(([key, value]) => {
          const labels = key.startsWith(`${name}{`) && key.includes(`prefix="${prefix}"`) ? key : undefined;
          const label = labels?.match(/(?:validity|verdict|anomaly)="([^"]*)"/)?.[1];
          return label === undefined || value === 0 ? [] : [[label, value]];
        }),
      ),
  };
}

describe('from the first scrape on', () => {
  it('a prefix has every series, without a route', () => {
    const { source, series } = world([watchedPrefix(P, { origins: [64500] })]);
    source.give(START_MS, [{ prefix: '198.51.0.0/16', asn: 64501, maxLength: 24 }]);
    const ours = Object.entries(series()).filter(([key]) => key.startsWith('bgp_prefix'));
    const p = `prefix="${P}"`;
    expect(Object.fromEntries(ours)).toEqual({
      ...Object.fromEntries(VALIDITIES.map((one) => [`bgp_prefix_rpki_vps{${p},validity="${one}"}`, 0])),
      ...Object.fromEntries(VALIDITIES.map((one) => [`bgp_prefix_more_specific_rpki_vps{${p},validity="${one}"}`, 0])),
      ...Object.fromEntries(ASPA_VERDICTS.map((one) => [`bgp_prefix_aspa_vps{${p},verdict="${one}"}`, 0])),
      ...Object.fromEntries(PATH_ANOMALIES.map((one) => [`bgp_prefix_path_anomaly_vps{anomaly="${one}",${p}}`, 0])),
      [`bgp_prefix_covering_vrps{${p}}`]: 1,
      // Nobody sees the configured origin: it would be invalid.
      [`bgp_prefix_origin_rpki_info{expected="true",origin_as="64500",${p},validity="invalid_as"}`]: 1,
    });
  });

  it('without usable data only path anomalies are there', () => {
    const { see, series, by } = world([watchedPrefix(P)]);
    see(P, '3333 64512 64500');
    expect(by('bgp_prefix_path_anomaly_vps')).toEqual({ private_as: 1, documentation_as: 1 });
    const names = new Set(Object.keys(series()).map((key) => key.replace(/\{.*/, '')));
    expect([...names].filter((name) => name.startsWith('bgp_prefix'))).toEqual(['bgp_prefix_path_anomaly_vps']);
    expect(series()['bgp_rpki_usable{}']).toBe(0);
  });

  it('without rules for paths no anomalies are', () => {
    const { source, see, series } = world([watchedPrefix(P)], 'none');
    source.give(START_MS, []);
    see(P, '3333 1103');
    expect(Object.keys(series()).filter((key) => key.includes('anomaly'))).toEqual([]);
  });
});

describe('verdicts on origins', () => {
  it('count the VPs of each', () => {
    const { source, see, by, series } = world([watchedPrefix(P, { origins: [64500] })]);
    source.give(START_MS, [{ prefix: P, asn: 64500, maxLength: 24 }]);
    see(P, '3333 64500', 5);
    see(P, '3333 64501', 3);
    see(P, '3333 {64500,64502}', 2);
    see('198.51.100.128/25', '3333 64500', 4);
    see('198.51.100.0/25', '3333 64501', 2);
    expect(by('bgp_prefix_rpki_vps')).toEqual({ valid: 5, invalid_as: 5 });
    expect(by('bgp_prefix_more_specific_rpki_vps')).toEqual({ invalid_length: 4, invalid_as: 2 });
    const infos = Object.keys(series()).filter((key) => key.startsWith('bgp_prefix_origin_rpki_info'));
    expect(infos.map((key) => key.match(/expected="(\w*)",origin_as="([^"]*)".*validity="(\w+)"/)?.slice(1))).toEqual(
      expect.arrayContaining([
        ['true', '64500', 'valid'],
        ['false', '64501', 'invalid_as'],
        ['false', '{64500,64502}', 'invalid_as'],
      ]),
    );
    expect(infos).toHaveLength(3);
  });

  it('a more-specific that changes its origin, its VPs or is withdrawn is counted again', () => {
    const { source, say, by } = world([watchedPrefix(P)]);
    const inner = '198.51.100.0/25';
    source.give(START_MS, [{ prefix: P, asn: 64500, maxLength: 25 }]);
    say(1, inner, '3333 64500');
    expect(by('bgp_prefix_more_specific_rpki_vps')).toEqual({ valid: 1 });
    say(1, inner, '3333 64501');
    expect(by('bgp_prefix_more_specific_rpki_vps')).toEqual({ invalid_as: 1 });
    say(2, inner, '3333 64501');
    expect(by('bgp_prefix_more_specific_rpki_vps')).toEqual({ invalid_as: 2 });
    say(1, inner, undefined);
    say(2, inner, undefined);
    expect(by('bgp_prefix_more_specific_rpki_vps')).toEqual({});
  });

  it('follow the data, and end when it is too old', () => {
    const { source, see, by, clock, series } = world([watchedPrefix(P)]);
    see(P, '3333 64500');
    source.give(START_MS, [{ prefix: P, asn: 64501, maxLength: 24 }]);
    expect(by('bgp_prefix_rpki_vps')).toEqual({ invalid_as: 1 });
    source.give(START_MS, [{ prefix: P, asn: 64500, maxLength: 24 }]);
    expect(by('bgp_prefix_rpki_vps')).toEqual({ valid: 1 });
    expect(series()['bgp_rpki_changes_total{change="vrp_added",rpki_source="0"}']).toBe(1);
    clock.nowMs += HOUR_MS;
    expect(Object.keys(series()).filter((key) => key.startsWith('bgp_prefix_rpki'))).toEqual([]);
    expect(series()['bgp_rpki_usable{}']).toBe(0);
    expect(series()['bgp_rpki_vrps{rpki_source="0",ta="ripe"}']).toBe(1);
  });

  it('a VRP that has expired does not count, neither for the prefix nor for its more-specifics', () => {
    const { source, see, by, clock } = world([watchedPrefix(P)]);
    const expires = START_MS / 1_000 + 60;
    source.give(START_MS, [
      { prefix: '198.51.100.0/25', asn: 64500, maxLength: 25, expires: expires + 60 },
      { prefix: P, asn: 64501, maxLength: 24, expires },
    ]);
    see(P, '3333 64500');
    see('198.51.100.0/25', '3333 64501');
    expect(by('bgp_prefix_rpki_vps')).toEqual({ invalid_as: 1 });
    expect(by('bgp_prefix_more_specific_rpki_vps')).toEqual({ invalid_length: 1 });
    clock.nowMs += 60_000;
    expect(by('bgp_prefix_rpki_vps')).toEqual({ not_found: 1 });
    expect(by('bgp_prefix_more_specific_rpki_vps')).toEqual({ invalid_as: 1 });
    clock.nowMs += 60_000;
    expect(by('bgp_prefix_more_specific_rpki_vps')).toEqual({ not_found: 1 });
  });

  it('a prefix that is monitored since the data was read is not judged before it is read again', () => {
    const { table, source, validated, see, by } = world([watchedPrefix(P)]);
    source.give(START_MS, [{ prefix: P, asn: 64500, maxLength: 24 }]);
    const added = watchedPrefix('203.0.113.0/24');
    table.watch([watchedPrefix(P), added], START_MS);
    validated.watch([prefixOf(P), added.prefix]);
    see('203.0.113.0/24', '3333 64500');
    expect(by('bgp_prefix_rpki_vps', '203.0.113.0/24')).toEqual({});
    source.give(START_MS, [{ prefix: '203.0.113.0/24', asn: 64500, maxLength: 24 }]);
    expect(by('bgp_prefix_rpki_vps', '203.0.113.0/24')).toEqual({ valid: 1 });
  });

  it('origins over the bound are counted as dropped', () => {
    const { source, see, series, view } = world([watchedPrefix(P)]);
    source.give(START_MS, []);
    for (let i = 0; i < 70; i++) see(P, `3333 ${10_000 + i}`);
    const infos = Object.keys(series()).filter((key) => key.startsWith('bgp_prefix_origin_rpki_info'));
    expect([infos.length, view.droppedSeries().get('bgp_prefix_origin_rpki_info')]).toEqual([64, 6]);
  });
});

describe('verdicts on paths', () => {
  it('count VPs by ASPA, and follow what changes', () => {
    const { source, see, by } = world([watchedPrefix(P)]);
    source.give(START_MS, [], { 64500: [1103], 3333: [9] });
    see(P, '3333 1103 64500', 2);
    see(P, '3333 1104 64500', 3);
    see(P, '');
    see(P, '3333 (1103) 64500');
    expect(by('bgp_prefix_aspa_vps')).toEqual({ valid: 2, invalid: 3, unverifiable: 2 });
    source.give(START_MS, [], { 64500: [1103, 1104] });
    expect(by('bgp_prefix_aspa_vps')).toEqual({ valid: 5, unverifiable: 2 });
    source.give(START_MS, [], {});
    expect(by('bgp_prefix_aspa_vps')).toEqual({ unknown: 5, unverifiable: 2 });
  });

  it('a path has all of its anomalies, and a number that is given to another path is judged again', () => {
    const { table, say, by } = world([watchedPrefix(P)]);
    say(1, P, '174 64512 3356 64512');
    expect(by('bgp_prefix_path_anomaly_vps')).toEqual({ private_as: 1, loop: 1, valley: 1 });
    say(1, P, '3333 1103');
    expect(by('bgp_prefix_path_anomaly_vps')).toEqual({});
    // So many paths come and go that their numbers are used again.
    const before = table.paths.size;
    for (let i = 0; i < 70_000; i++) say(1, P, `3333 ${100_000 + i} ${i % 2 === 0 ? 64_512 : 1_103}`);
    expect(table.paths.size).toBe(before);
    say(1, P, '3333 4200000000 0');
    expect(by('bgp_prefix_path_anomaly_vps')).toEqual({ private_as: 1, as_zero: 1 });
  });
});

it('counts what a walk over all routes finds, whatever happens', () => {
  const inner = '198.51.100.0/25';
  const paths = [
    '3333 64500',
    '3333 64501',
    '',
    '174 1 3356',
    '3333 {64500,64501}',
    '3333 1103 64500',
    '5 64512 64500',
  ];
  const vrp = fc.record({
    prefix: fc.constantFrom(P, inner, '198.51.0.0/16'),
    asn: fc.constantFrom(0, 64500, 64501),
    maxLength: fc.constantFrom(24, 25),
  });
  const step = fc.oneof(
    fc.record({
      vp: fc.nat(5),
      prefix: fc.constantFrom(P, inner, '198.51.100.128/25'),
      path: fc.option(fc.constantFrom(...paths), { nil: undefined }),
    }),
    fc.record({
      vrps: fc
        .array(vrp, { maxLength: 4 })
        .map((list) => list.filter((one) => one.prefix !== inner || one.maxLength === 25)),
      aspas: fc.dictionary(fc.constantFrom('64500', '3333', '5'), fc.uniqueArray(fc.constantFrom(1103, 3333, 64512))),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { source, say, by } = world([watchedPrefix(P)]);
      let data: { vrps: VrpText[]; aspas: Record<string, number[]> } = { vrps: [], aspas: {} };
      source.give(START_MS, []);
      const held = new Map<string, string>();
      for (const one of steps) {
        if ('vrps' in one) {
          data = one;
          source.give(START_MS, one.vrps, one.aspas);
        } else {
          say(one.vp, one.prefix, one.path);
          if (one.path === undefined) held.delete(`${one.vp} ${one.prefix}`);
          else held.set(`${one.vp} ${one.prefix}`, one.path);
        }
        const fresh = new RpkiData(source.scope, 0);
        for (const vrp of data.vrps) fresh.addVrp(vrpOf(vrp), '');
        for (const [customer, providers] of Object.entries(data.aspas)) fresh.addAspa(Number(customer), providers, 0);
        const expected = {
          origin: new Map<string, number>(),
          inner: new Map<string, number>(),
          aspa: new Map<string, number>(),
          anomaly: new Map<string, number>(),
        };
        const count = (into: Map<string, number>, key: string) => into.set(key, (into.get(key) ?? 0) + 1);
        for (const [key, text] of held) {
          const prefix = prefixOf(key.split(' ')[1]);
          const path = parseAsPath(text) ?? [];
          const last = path.at(-1);
          const origin = last === undefined ? 64496 : typeof last === 'number' ? last : `{${last.members.join()}}`;
          const validity = validate(fresh.vrps.covering(prefix, 0), prefix.length, origin);
          count(prefix.text === P ? expected.origin : expected.inner, validity);
          if (prefix.text !== P) continue;
          count(expected.aspa, text === '' ? 'unverifiable' : verifyDownstream(path, fresh.aspas));
          for (const name of anomalyNames(anomaliesOf(path, RULES))) count(expected.anomaly, name);
        }
        expect({
          origin: by('bgp_prefix_rpki_vps'),
          inner: by('bgp_prefix_more_specific_rpki_vps'),
          aspa: by('bgp_prefix_aspa_vps'),
          anomaly: by('bgp_prefix_path_anomaly_vps'),
        }).toEqual(Object.fromEntries(Object.entries(expected).map(([key, map]) => [key, Object.fromEntries(map)])));
      }
    }),
    runs(60),
  );
});

const PEAK = recordingPath('event-telegram-rib-20260616-peak.jsonl.gz');
const VRPS = recordingPath('vrps-telegram-constructed.json');
if (PEAK !== undefined && VRPS !== undefined) {
  it('the hijack of 2026-06-16 at its peak: 8 of 356 VPs are invalid on the covered prefix, 189 of 189 not found on the other', () => {
    const [covered, uncovered] = ['95.161.64.0/20', '2a0a:f280::/32'];
    const { source, say, by } = world([watchedPrefix(covered), watchedPrefix(uncovered)]);
    const reader = new VrpReader(new RpkiData(source.scope, START_MS / 1_000));
    reader.push(readFileSync(VRPS));
    const { data, result } = reader.end();
    expect([result, data.total]).toEqual(['success', 42]);
    source.state.replaced(data);
    source.state.confirmed('success', START_MS, START_MS, START_MS + HOUR_MS);
    for (const [i, line] of readLines(PEAK).entries()) {
      const { prefixes, 'as-path': asPath } = JSON.parse(line) as { prefixes: string; 'as-path': string };
      say(i, prefixes, asPath);
    }
    expect(by('bgp_prefix_rpki_vps', covered)).toEqual({ valid: 348, invalid_as: 8 });
    expect(by('bgp_prefix_rpki_vps', uncovered)).toEqual({ not_found: 189 });
    expect(by('bgp_prefix_path_anomaly_vps', covered)).toEqual({});
  });
}
