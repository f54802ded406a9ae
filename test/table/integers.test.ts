/** The two ways into the table, in words (message.ts) and in integers (fast-decoder.ts), come to the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/bgproutes/live/message.ts';
import { FastDecoder } from '../../src/bgproutes/live/scanner/fast-decoder.ts';
import { Fold, FoldCounts } from '../../src/table/fold.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { TableIds } from '../../src/table/table-ids.ts';
import type { TableOptions } from '../../src/table/table-options.ts';
import { runs } from '../support/property-runs.ts';
import { fixturePath, readLines } from '../support/recordings.ts';
import { keptCounters, keptTotals, recountedOverall, routesOf } from '../support/table-recount.ts';
import { options, PATHS, PREFIXES, START_MS, VPS, watchedOf, watchedPrefix, watchSet } from '../support/table-world.ts';

class Way {
  readonly table: RoutingTable;
  readonly counts = new FoldCounts();
  readonly failures: string[] = [];
  readonly #fold: Fold;
  readonly #fast: FastDecoder | undefined;
  understood = 0;

  constructor(tableOptions: TableOptions, fast: boolean) {
    this.table = new RoutingTable(tableOptions);
    this.#fold = new Fold(this.table);
    this.#fast = fast ? new FastDecoder(new TableIds(this.table)) : undefined;
  }

  frame(frame: Buffer, session: number, nowMs: number): void {
    this.#fast?.scan([frame], 0);
    if (this.#fast?.read(0) === 1) {
      this.understood++;
      this.#fold.applyIntegers(this.#fast, session, this.counts, nowMs);
      return;
    }
    const result = decodeMessage(frame);
    if (!result.ok) this.failures.push(result.reason);
    else {
      this.failures.push(...result.failures);
      this.#fold.apply(result.update, session, this.counts, nowMs);
    }
  }

  state() {
    const { table, counts, failures } = this;
    return {
      ...{ routes: routesOf(table), counts: { ...counts, dropped: { ...counts.dropped } }, failures },
      prefixes: [...table.prefixes.states()].map((state) => [state.prefix.text, state.visible]),
      monitored: [...table.prefixes.monitored()].map((one) => [keptTotals(table, one), keptCounters(one)]),
      vps: [...Array(table.vps.end).keys()].map((vp) => [table.vps.get(vp), table.vps.lastHeardMs[vp]]),
      ...{ size: table.paths.size, byProtocol: { ...table.vpsByProtocol } },
    };
  }
}

const speaker = ({ asn, ip }: { asn: number; ip: string }) => `${asn}_${ip}`;

function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
}

/** Spellings, some of which only the general decoder understands. */
const message = fc
  .record({
    vp: fc.nat(VPS.length - 1),
    announced: fc.array(fc.nat(PREFIXES.length - 1), { maxLength: 3 }),
    withdrawn: fc.array(fc.nat(PREFIXES.length - 1), { maxLength: 2 }),
    path: fc.nat(PATHS.length - 1),
    communities: mostly('64500:1', '', '64500:2 64500:3', 'ü', 'a\\b', '"'),
    attributes: fc.boolean(),
    offset: fc.constantFrom(0, 0, 0, -1, -10, 61, 3600),
    usec: mostly(0, 1, 999_999, undefined, 1_000_000),
    withdrawnKey: mostly('withdraws', 'withdrawn-prefixes', 'gone'),
    separator: mostly(',', ', '),
    upper: mostly(false, true),
    numbers: mostly('number', 'text'),
    spaced: fc.boolean(),
    session: fc.constantFrom(0, 0, 0, 1),
    waitMs: mostly(0, 500, 20_000, 301_000),
    sweep: mostly(false, true),
  })
  .map((of) => ({ ...of, write: (nowMs: number) => Buffer.from(write(of, nowMs)) }));

interface Written {
  readonly vp: number;
  readonly announced: readonly number[];
  readonly withdrawn: readonly number[];
  readonly path: number;
  readonly communities: string;
  readonly attributes: boolean;
  readonly offset: number;
  readonly usec: number | undefined;
  readonly withdrawnKey: string;
  readonly separator: string;
  readonly upper: boolean;
  readonly numbers: string;
  readonly spaced: boolean;
}

function write(of: Written, nowMs: number): string {
  const { protocol, parent, ...vp } = VPS[of.vp];
  const number = (value: number) => (of.numbers === 'text' ? String(value) : value);
  const list = (of: readonly number[], separator: string, upper: boolean) => {
    const text = of.map((i) => PREFIXES[i]).join(separator);
    return upper ? text.toUpperCase() : text;
  };
  const value = {
    record_type: protocol === 'bmp' ? 'bmp_update' : 'update',
    vp: speaker(parent ?? vp),
    ...(parent && { bmp_peer: speaker(vp) }),
    sec: number(Math.floor(nowMs / 1000) + of.offset),
    ...(of.usec !== undefined && { Usec: number(of.usec) }),
    ...(of.withdrawn.length > 0 && { [of.withdrawnKey]: list(of.withdrawn, of.separator, of.upper) }),
    ...(of.announced.length > 0 && {
      prefixes: list(of.announced, of.separator, of.upper),
      'as-path': PATHS[of.path].text,
      ...(of.attributes && { communities: of.communities, nexthop: '192.0.2.1', origin: 'IGP' }),
    }),
  };
  // Python's json.dumps writes blanks after commas and colons, JSON.stringify none.
  return of.spaced
    ? JSON.stringify(value, null, 1).replace(/\n */g, ' ').replace('{ ', '{').replace(/ }$/, '}')
    : JSON.stringify(value);
}

describe('in words and in integers', () => {
  it('any frames come to the same table and the same counters', () => {
    let understood = 0;
    let frames = 0;
    fc.assert(
      fc.property(
        options,
        fc.array(fc.tuple(watchSet, fc.array(message, { maxLength: 30, size: 'max' })), { minLength: 1, maxLength: 3 }),
        (tableOptions, phases) => {
          const words = new Way(tableOptions, false);
          const integers = new Way(tableOptions, true);
          let nowMs = START_MS;
          for (const [which, messages] of phases) {
            for (const way of [words, integers]) way.table.watch(watchedOf(which), nowMs);
            for (const one of messages) {
              nowMs += one.waitMs;
              for (const way of [words, integers]) {
                way.frame(one.write(nowMs), one.session, nowMs);
                if (one.sweep) while (!way.table.sweep(nowMs, 2));
              }
              frames++;
            }
          }
          expect(integers.state()).toEqual(words.state());
          understood += integers.understood;
        },
      ),
      runs(120),
    );
    // else this would compare the general decoder with itself
    expect(understood / frames).toBeGreaterThan(0.1);
  });

  const HEAD = '"record_type":"update","vp":"64496_192.0.2.1","sec":1700000001';
  const LIST = '"prefixes":"198.51.100.0/24"';
  const REST = '"as-path":"64501 64500","communities":"64500:1","nexthop":"192.0.2.1","origin":"IGP"';
  it.each([
    ['a plain one', `{${HEAD},"Usec":5,${LIST},${REST}}`],
    ['blanks where Python puts them', `{${HEAD}, "Usec": 5, ${LIST}, ${REST}}`],
    ['tabs and line feeds', `{\t${HEAD},\n${LIST},${REST}}\n`],
    ['another order of keys', `{${REST},${LIST},${HEAD}}`],
    ['an escaped slash', `{${HEAD},"prefixes":"198.51.100.0\\/24",${REST}}`],
    ['an escaped digit', `{${HEAD},"prefixes":"\\u003198.51.100.0/24",${REST}}`],
    [
      'an escape in the communities',
      `{${HEAD},${LIST},"as-path":"64501 64500","communities":"\\u00364500:1","nexthop":"192.0.2.1","origin":"IGP"}`,
    ],
    ['an escaped quote', `{${HEAD},${LIST},"as-path":"64501 64500","communities":"\\",\\"sec\\":9,\\""}`],
    ['an escaped key', `{${HEAD},"prefix\\u0065s":"198.51.100.0/24",${REST}}`],
    ['other letters than ASCII', `{${HEAD},${LIST},"as-path":"64501 64500","communities":"é"}`],
    ['announced prefixes twice', `{${HEAD},${LIST},"prefixes":"203.0.113.0/24",${REST}}`],
    ['a time twice', `{${HEAD},"sec":1700000009,${LIST},${REST}}`],
    ['withdrawn prefixes under two keys', `{${HEAD},"withdraws":"198.51.100.0/24","withdrawals":"203.0.113.0/24"}`],
    ['withdrawn prefixes under a key nobody knows', `{${HEAD},"gone":"198.51.100.0/24"}`],
    ['an unknown key beside all others', `{${HEAD},${LIST},${REST},"seq":7}`],
    ['something in something', `{${HEAD},${LIST},${REST},"origin2":{"prefixes":"203.0.113.0/24"}}`],
    ['a list in an array', `{${HEAD},"prefixes":["198.51.100.0/24"],${REST}}`],
    ['a comma at the end of a list', `{${HEAD},"prefixes":"198.51.100.0/24,",${REST}}`],
    ['a comma at the start of a list', `{${HEAD},"prefixes":",198.51.100.0/24",${REST}}`],
    ['blanks in a list', `{${HEAD},"prefixes":" 198.51.100.0/24 , 203.0.113.0/24",${REST}}`],
    ['host bits', `{${HEAD},"prefixes":"198.51.100.1/24",${REST}}`],
    ['an empty list', `{${HEAD},"prefixes":"",${REST}}`],
    ['an empty list beside a withdrawal', `{${HEAD},"prefixes":"",${REST},"withdraws":"198.51.100.0/24"}`],
    ['an empty withdrawal beside a list', `{${HEAD},${LIST},${REST},"withdraws":""}`],
    ['no path', `{${HEAD},${LIST}}`],
    ['an empty path', `{${HEAD},${LIST},"as-path":""}`],
    ['another spelling of the path', `{${HEAD},${LIST},"as-path":" 64501  064500"}`],
    ['a path that is none', `{${HEAD},${LIST},"as-path":"64501 x"}`],
    ['a path of a prefix that nobody asked for', `{${HEAD},"prefixes":"192.0.2.0/25","as-path":"x"}`],
    [
      'seconds as text',
      `{"record_type":"update","vp":"64496_192.0.2.1","sec":"1700000001","Usec":"000005",${LIST},${REST}}`,
    ],
    [
      'seconds with a leading zero',
      `{"record_type":"update","vp":"64496_192.0.2.1","sec":01700000001,${LIST},${REST}}`,
    ],
    ['seconds with a fraction', `{"record_type":"update","vp":"64496_192.0.2.1","sec":1700000001.0,${LIST},${REST}}`],
    ['seconds with an exponent', `{"record_type":"update","vp":"64496_192.0.2.1","sec":17e8,${LIST},${REST}}`],
    ['seconds beyond all years', `{"record_type":"update","vp":"64496_192.0.2.1","sec":7258118401,${LIST},${REST}}`],
    ['seconds below 0', `{"record_type":"update","vp":"64496_192.0.2.1","sec":-1,${LIST},${REST}}`],
    ['a million microseconds', `{${HEAD},"Usec":1000000,${LIST},${REST}}`],
    ['microseconds that are null', `{${HEAD},"Usec":null,${LIST},${REST}}`],
    ['a number as ORIGIN', `{${HEAD},${LIST},"as-path":"64501 64500","origin":0}`],
    ['a peer in a BGP message', `{${HEAD},"bmp_peer":"64497_192.0.2.2",${LIST},${REST}}`],
    ['BMP without a peer', `{"record_type":"bmp_update","vp":"64496_192.0.2.1","sec":1700000001,${LIST},${REST}}`],
    ['a VP in capitals', `{"record_type":"update","vp":"64496_2001:DB8::1","sec":1700000001,${LIST},${REST}}`],
    ['a VP with a leading zero', `{"record_type":"update","vp":"064496_192.0.2.1","sec":1700000001,${LIST},${REST}}`],
    ['a type in capitals', `{"record_type":"Update","vp":"64496_192.0.2.1","sec":1700000001,${LIST},${REST}}`],
    ['a comma before the end', `{${HEAD},${LIST},${REST},}`],
    ['no end', `{${HEAD},${LIST},${REST}`],
    ['something after the end', `{${HEAD},${LIST},${REST}}{}`],
    ['a byte order mark', `\ufeff{${HEAD},${LIST},${REST}}`],
    ['a control character', `{${HEAD},${LIST},"as-path":"64501 64500","communities":"\u0001"}`],
    ['nothing', ''],
    ['an empty object', '{}'],
  ])('%s', (_, frame) => {
    const words = new Way({}, false);
    const integers = new Way({}, true);
    for (const way of [words, integers]) {
      way.table.watch([watchedPrefix('198.51.100.0/24'), watchedPrefix('203.0.113.0/24')], START_MS);
      const known = (vp: string, more: string) =>
        way.frame(Buffer.from(`{"record_type":"update","vp":"${vp}","sec":1700000000,${more}}`), 0, START_MS);
      for (const vp of ['64496_192.0.2.1', '64496_2001:db8::1']) {
        known(vp, `"prefixes":"198.51.100.0/24,203.0.113.0/24,192.0.2.0/25","as-path":"64501 64500"`);
      }
      for (let i = 0; i < 3; i++) way.frame(Buffer.from(frame), 0, START_MS);
      way.frame(Buffer.from(`{${HEAD},"Usec":5,${LIST},${REST}}`), 0, START_MS);
    }
    expect(integers.state()).toEqual(words.state());
  });

  it('mangled frames too', () => {
    const frames = readLines(fixturePath('edge-cases.jsonl')).map((line) =>
      Buffer.from(JSON.stringify((JSON.parse(line) as { message: unknown }).message)),
    );
    const mutation = fc.record({
      at: fc.nat(400),
      drop: fc.nat(3),
      add: fc.oneof(
        fc.uint8Array({ maxLength: 2 }),
        fc.constantFrom(...['"', ',', ' ', '\\', '0', '}', '/', '-', '.'].map((c) => Buffer.from(c))),
      ),
    });
    const frame = fc.constantFrom(...frames.filter((one) => one.length < 400));
    fc.assert(
      fc.property(fc.array(fc.tuple(frame, mutation), { maxLength: 12, size: 'max' }), (mangled) => {
        const words = new Way({}, false);
        const integers = new Way({}, true);
        const watched = ['198.51.100.0/24', '2001:db8::/32', '203.0.113.0/24'].map((text) => watchedPrefix(text));
        for (const way of [words, integers]) {
          way.table.watch(watched, START_MS);
          for (const whole of frames) way.frame(whole, 0, START_MS);
          for (const [whole, { at, drop, add }] of mangled)
            way.frame(Buffer.concat([whole.subarray(0, at), add, whole.subarray(at + drop)]), 0, START_MS);
        }
        expect(integers.state()).toEqual(words.state());
      }),
      runs(50),
    );
  });

  it('a path that nobody holds is still there when the same message first withdraws others', () => {
    const way = new Way({}, true);
    const watched = ['198.51.100.0/24', '203.0.113.0/24'];
    way.table.watch(
      watched.map((text) => watchedPrefix(text)),
      START_MS,
    );
    let sec = START_MS / 1000 - 10;
    const say = (more: object) =>
      way.frame(
        Buffer.from(JSON.stringify({ record_type: 'update', vp: '64496_192.0.2.1', sec: sec++, Usec: 0, ...more })),
        0,
        START_MS,
      );
    const announce = (prefix: string, path: string) => ({ prefixes: prefix, 'as-path': path });
    say(announce(watched[0], '64501 64500'));
    say({ withdraws: watched[0] }); // that path is the one that waits longest now
    say(announce(watched[1], '64502 64500'));
    const { paths } = way.table;
    for (let i = 0; i < 32_767; i++) paths.discard(paths.intern(`4200000000 ${i}`, 64496)!);
    const before = way.understood;
    say({ withdraws: watched[1], ...announce(watched[0], '64501 64500') });
    expect(way.understood).toBe(before + 1);
    expect(routesOf(way.table)).toEqual([
      expect.stringMatching(/^198\.51\.100\.0\/24 64496_192\.0\.2\.1 64501 64500 /),
    ]);
    // A number that was given away would now be given to another path as well.
    for (let i = 0; i < 3; i++) paths.retain(paths.intern(`4200000001 ${i}`, 64496)!);
    expect(routesOf(way.table)).toEqual([expect.stringContaining('64501 64500')]);
    expect(recountedOverall(way.table).paths).toBe(1);
  });
});
