/** A small world of prefixes, VPs and paths, things that can happen in it, and a runner that tells the real table of them. */

import fc from 'fast-check';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { attributeFingerprint } from '../../src/bgp/route-integers.ts';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import { Fold, FoldCounts } from '../../src/table/fold.ts';
import { PrefixState, type WatchedPrefix } from '../../src/table/prefixes/prefix-state.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { hashText } from '../../src/table/store/text-index.ts';
import type { TableOptions } from '../../src/table/table-options.ts';
import { setFullFeed } from '../../src/table/vps/denominator.ts';
import type { ModelPath, TableModel } from './table-model.ts';

export const START_MS = 1_700_000_000_000;

export const VPS: readonly VantagePoint[] = [
  { protocol: 'bgp', asn: 64496, ip: '192.0.2.1' },
  { protocol: 'bgp', asn: 64497, ip: '192.0.2.2' },
  { protocol: 'bgp', asn: 64497, ip: '2001:db8::2' },
  { protocol: 'bgp', asn: 65536, ip: '192.0.2.3' },
  { protocol: 'bmp', asn: 64496, ip: '192.0.2.1', parent: { asn: 64498, ip: '192.0.2.9' } },
  { protocol: 'bmp', asn: 64499, ip: '192.0.2.5', parent: { asn: 64498, ip: '192.0.2.9' } },
];

/** Those that may be monitored come first. Which contains which is written down, not computed. */
export const PREFIXES = [
  '198.51.0.0/16',
  '198.51.100.0/24',
  '198.51.100.0/25',
  '203.0.113.0/24',
  '2001:db8::/32',
  '2001:db8:1::/48',
  '198.51.100.64/26',
  '198.51.100.128/25',
  '198.51.7.0/24',
  '203.0.113.128/25',
  '2001:db8:1:1::/64',
  '2001:db8:2::/48',
  '192.0.2.0/24',
  '0.0.0.0/0',
  '2001:db9::/32',
] as const;
export const WATCHABLE = PREFIXES.slice(0, 6);

const INSIDE: Readonly<Record<string, readonly string[]>> = {
  '198.51.0.0/16': ['198.51.100.0/24', '198.51.100.0/25', '198.51.100.64/26', '198.51.100.128/25', '198.51.7.0/24'],
  '198.51.100.0/24': ['198.51.100.0/25', '198.51.100.64/26', '198.51.100.128/25'],
  '198.51.100.0/25': ['198.51.100.64/26'],
  '203.0.113.0/24': ['203.0.113.128/25'],
  '2001:db8::/32': ['2001:db8:1::/48', '2001:db8:1:1::/64', '2001:db8:2::/48'],
  '2001:db8:1::/48': ['2001:db8:1:1::/64'],
};
export const contains = (outer: string, inner: string) => INSIDE[outer]?.includes(inner) ?? false;

const path = (
  text: string,
  canonical: string,
  origin: string,
  upstream: string | undefined,
  length: number,
  prepended = false,
): ModelPath => ({ text, canonical, origin, upstream, length, prepended });

export const PATHS: readonly ModelPath[] = [
  path('64500', '64500', '64500', undefined, 1),
  path('64501 64500', '64501 64500', '64500', '64501', 2),
  path(' 64501  64500 ', '64501 64500', '64500', '64501', 2),
  path('64501 64500 64500', '64501 64500 64500', '64500', '64501', 3, true),
  path('64502 64501 64500', '64502 64501 64500', '64500', '64501', 3),
  path('64501 64510', '64501 64510', '64510', '64501', 2),
  path('64501 {64511,64510}', '64501 {64510,64511}', '{64510,64511}', '64501', 2),
  path('{64510,64511} 64500', '{64510,64511} 64500', '64500', '{64510,64511}', 2),
  path('64501 {64510}', '64501 {64510}', '64510', '64501', 2),
  path('', '', 'own', undefined, 0),
  path('64501 (65001 65002)', '64501 (65001 65002)', 'own', '64501', 1),
  path('(65001) 64501 64500', '(65001) 64501 64500', '64500', '64501', 2),
  path('64501 '.repeat(24).trim(), '64501 '.repeat(24).trim(), '64501', undefined, 24, true),
];

const vp = fc.nat(VPS.length - 1);
const prefix = fc.oneof(
  { weight: 3, arbitrary: fc.nat(WATCHABLE.length - 1) },
  { weight: 2, arbitrary: fc.integer({ min: WATCHABLE.length, max: PREFIXES.length - 1 }) },
);
const aPath = fc.nat(PATHS.length - 1);
/** Message time against the clock, in seconds: mostly now, sometimes late, seldom ahead. */
const offset = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: -30, max: 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1_000, 1, 2, 3, 5_000) },
);
const attributes = fc.constantFrom('', '64500:1', '64500:2');

export type Op =
  | {
      readonly do: 'message';
      readonly vp: number;
      readonly announced: readonly number[];
      readonly withdrawn: readonly number[];
      readonly path: number;
      readonly attributes: string;
      readonly offset: number;
      readonly session: number;
      readonly seeding: boolean;
    }
  | {
      readonly do: 'seedRoute';
      readonly vp: number;
      readonly prefix: number;
      readonly path: number;
      readonly attributes: string | undefined;
      readonly offset: number;
    }
  | { readonly do: 'seedAbsence'; readonly vp: number; readonly prefix: number; readonly offset: number }
  | { readonly do: 'seedExpected'; readonly vp: number; readonly prefix: number }
  | { readonly do: 'down' | 'up'; readonly vp: number }
  | { readonly do: 'fullFeed'; readonly vp: number; readonly ipv4: boolean; readonly ipv6: boolean }
  | { readonly do: 'watch'; readonly which: readonly (0 | 1 | undefined)[]; readonly said?: Partial<WatchedPrefix> }
  | { readonly do: 'sweep'; readonly rows: number }
  | { readonly do: 'wait'; readonly seconds: number };

const message = fc.record({
  do: fc.constant('message' as const),
  vp,
  announced: fc.array(prefix, { maxLength: 3 }),
  withdrawn: fc.array(prefix, { maxLength: 2 }),
  path: aPath,
  attributes,
  offset,
  session: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  seeding: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
/** By prefix: the session that answers for it, undefined when it is not monitored. */
export const watchSet = fc.tuple(
  ...WATCHABLE.map(() =>
    fc.oneof(
      { weight: 5, arbitrary: fc.constant(0 as const) },
      { weight: 1, arbitrary: fc.constant(1 as const) },
      { weight: 3, arbitrary: fc.constant(undefined) },
    ),
  ),
);

/** What a configuration may say of a prefix, with all that is hard to print. */
export const said: fc.Arbitrary<Partial<WatchedPrefix>> = fc.record({
  description: fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom('"', '\\', '\n', '\r', 'n', '{', '}', ',', '=', ' ', 'ü', '\u2028', '🛰', '\ud800'),
      maxLength: 8,
    }),
  ),
  group: fc.constantFrom('', 'core', 'Zürich "1"'),
  origins: fc.subarray([64500, 64510, 64999]),
  upstreams: fc.subarray([64501, 64502, 64999]),
});

export const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 24, arbitrary: message },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('seedRoute' as const),
      vp,
      prefix,
      path: aPath,
      attributes: fc.option(attributes, { nil: undefined }),
      offset,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('seedAbsence' as const), vp, prefix, offset }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('seedExpected' as const), vp, prefix }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('down' as const, 'up' as const), vp }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('fullFeed' as const), vp, ipv4: fc.boolean(), ipv6: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('watch' as const), which: watchSet, said }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sweep' as const), rows: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(99, 100, 101, 299, 300, 301, 599, 601, 700)),
    }),
  },
);

/** Times are short, so that everything comes to pass: a window of 300 s, a lifetime of routes of 100 s or for ever. */
export const options: fc.Arbitrary<Required<TableOptions>> = fc.record({
  maxVps: fc.constantFrom(3, 5, 1_000),
  maxMoreSpecifics: fc.constantFrom(1, 2, 3, 256),
  expectedWindowMs: fc.constant(300_000),
  routeTtlMs: fc.constantFrom(0, 0, 100_000),
  expectedVps: fc.constantFrom('seen' as const, 'full_feed' as const),
});

export function watchedPrefix(text: string, more: Partial<WatchedPrefix> = {}): WatchedPrefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`no prefix: ${text}`);
  return { prefix, description: '', group: '', origins: [], upstreams: [], sessions: [0], ...more };
}

export function watchedOf(which: readonly (0 | 1 | undefined)[], said: Partial<WatchedPrefix> = {}): WatchedPrefix[] {
  return WATCHABLE.flatMap((text, i) => {
    const session = which[i];
    return session === undefined ? [] : watchedPrefix(text, { ...said, sessions: [session] });
  });
}

/** Tells the real table, and a model when there is one, what happens. */
export class World {
  readonly table: RoutingTable;
  readonly counts = new FoldCounts();
  readonly #fold: Fold;
  readonly #model: TableModel | undefined;
  /** Sweeps run whole rounds; otherwise one slice. */
  readonly #wholeRounds: boolean;
  nowMs = START_MS;

  constructor(tableOptions: TableOptions, model: TableModel | undefined) {
    this.table = new RoutingTable(tableOptions);
    this.#fold = new Fold(this.table);
    this.#model = model;
    this.#wholeRounds = model !== undefined;
  }

  /** @returns the words of the table and of the model, where the operation has one */
  run(op: Op): readonly [unknown, unknown] {
    const { table, nowMs } = this;
    const model = this.#model;
    switch (op.do) {
      case 'message': {
        const path = PATHS[op.path];
        const late = op.seeding ? 'seeded' : 'out_of_order';
        const announced = op.announced.map((i) => PREFIXES[i]);
        const withdrawn = op.withdrawn.map((i) => PREFIXES[i]);
        const timeUs = this.#timeUs(op.offset);
        this.#fold.apply(
          {
            ...{ vp: VPS[op.vp], timeUs, withdrawn, announced },
            ...(announced.length > 0 && {
              attributes: { asPath: path.text, communities: op.attributes, nextHop: '', originAttribute: 'IGP' },
            }),
          },
          op.session,
          this.counts,
          nowMs,
          late,
        );
        model?.makeRoom(VPS[op.vp], (vp) => table.vps.find(vp) !== -1);
        model?.message(
          { vp: VPS[op.vp], timeUs, withdrawn, announced, path, attributes: op.attributes },
          op.session,
          nowMs,
          late,
        );
        return [undefined, undefined];
      }
      case 'seedRoute':
        return [
          this.#seedRoute(op),
          model?.seedRoute(PREFIXES[op.prefix], VPS[op.vp], PATHS[op.path], op.attributes, this.#timeUs(op.offset)),
        ];
      case 'seedAbsence': {
        const state = table.prefixes.find(PREFIXES[op.prefix]);
        const vp = table.vps.find(VPS[op.vp]);
        const timeUs = this.#timeUs(op.offset);
        const change = state === undefined || vp === -1 ? 'nowhere' : table.seedAbsence(state, vp, timeUs, nowMs);
        return [change, model?.seedAbsence(PREFIXES[op.prefix], VPS[op.vp], timeUs, nowMs)];
      }
      case 'seedExpected': {
        const monitored = table.prefixes.find(PREFIXES[op.prefix])?.monitored;
        const vp = table.vps.find(VPS[op.vp]);
        if (monitored !== undefined && vp !== -1) table.seedExpected(monitored, vp, nowMs);
        model?.seedExpected(PREFIXES[op.prefix], VPS[op.vp], nowMs);
        return [undefined, undefined];
      }
      case 'down':
      case 'up': {
        const vp = table.vps.find(VPS[op.vp]);
        if (vp !== -1) op.do === 'down' ? table.setVpDown(vp) : table.setVpUp(vp);
        op.do === 'down' ? model?.setDown(VPS[op.vp]) : model?.setUp(VPS[op.vp]);
        return [undefined, undefined];
      }
      case 'fullFeed': {
        const vp = table.vps.add(VPS[op.vp]);
        if (vp >= 0) setFullFeed(table, vp, op);
        model?.setFullFeed(VPS[op.vp], { ipv4: op.ipv4, ipv6: op.ipv6 });
        return [undefined, undefined];
      }
      case 'watch':
        table.watch(watchedOf(op.which, op.said), nowMs);
        model?.watch(watchedOf(op.which, op.said), nowMs);
        return [undefined, undefined];
      case 'sweep':
        while (!table.sweep(nowMs, op.rows) && this.#wholeRounds);
        model?.sweep(nowMs);
        return [undefined, undefined];
      case 'wait':
        this.nowMs += op.seconds * 1000;
        return [undefined, undefined];
    }
  }

  #timeUs(offset: number): number {
    return (this.nowMs + offset * 1000) * 1000;
  }

  #seedRoute(op: Op & { do: 'seedRoute' }): string {
    const { table } = this;
    const state = table.prefixes.resolve(PREFIXES[op.prefix], true);
    const vp = table.vps.add(VPS[op.vp]);
    if (!(state instanceof PrefixState) || vp < 0) return 'nowhere';
    const number = table.paths.intern(PATHS[op.path].text, VPS[op.vp].asn)!;
    const print = op.attributes === undefined ? 0 : attributesPrint(op.attributes);
    const change = table.seedRoute(state, vp, number, print, this.#timeUs(op.offset));
    table.paths.discard(number);
    return change;
  }
}

/** The fingerprint that the fold gives attributes of this world. */
function attributesPrint(communities: string): number {
  return attributeFingerprint(hashText(communities), hashText(''), hashText('IGP'));
}
