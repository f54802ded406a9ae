import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { PlainVrp, readPlainVrp } from '../../src/rpki/json/plain-vrp.ts';
import { type CutBounds, ValueCutter } from '../../src/rpki/json/value-cutter.ts';
import { JSON_BOUNDS, type VrpRead, VrpReader } from '../../src/rpki/json/vrp-reader.ts';
import { RpkiData } from '../../src/rpki/rpki-data.ts';
import { RpkiScope } from '../../src/rpki/scope.ts';
import { runs } from '../support/property-runs.ts';
import { recordingPath } from '../support/recordings.ts';
import { EVERYTHING, prefixOf } from './vrp-world.ts';

const NOW_S = 1_795_860_500;

function read(
  text: string | Buffer,
  chunkBytes = 65_536,
  bounds: CutBounds = JSON_BOUNDS,
  scope = EVERYTHING,
): VrpRead {
  const reader = new VrpReader(new RpkiData(scope, NOW_S), bounds);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    // A chunk is the caller's: what is read of it later must be a copy.
    const chunk = Buffer.from(bytes.subarray(at, at + chunkBytes));
    const goesOn = reader.push(chunk);
    chunk.fill(0);
    if (!goesOn) break;
  }
  return reader.end();
}

/** All VRPs of a read, in an order of their own. */
function vrpsOf({ data }: VrpRead): string[] {
  const ends = [
    '255.255.255.255/32',
    ...['192.0.2.0/24', '198.51.100.0/24', '203.0.113.128/25', '2001:db8::/32', '2a10:cc44:1d0::/48'],
  ];
  const found = ends.flatMap((end) => data.vrps.covering(prefixOf(end), NOW_S));
  return [...new Set(found.map(({ prefix, maxLength, asn }) => `${prefix}-${maxLength} AS${asn}`))].sort();
}

const aspasOf = ({ data: { aspas } }: VrpRead) =>
  Object.fromEntries([...aspas.customers].map((customer) => [customer, aspas.providers(customer)]));

const FIVE = [
  '192.0.2.0/24-24 AS64500',
  '198.51.100.0/24-25 AS64501',
  '2001:db8::/32-48 AS64500',
  '203.0.113.0/24-24 AS64502',
  '203.0.113.128/25-32 AS0',
];
const TWO_ASPAS = { 64500: [64510, 64511], 64510: [] };
const MADE = 1_795_860_487_000;

describe('spellings', () => {
  it.each([
    ['numbers', '[{"prefix":"192.0.2.0/24","asn":64500,"maxLength":24}]'],
    ['asn as text', '[{"prefix":"192.0.2.0/24","asn":"64500","maxLength":24}]'],
    ['AS in small letters', '[{"prefix":"192.0.2.0/24","asn":"as64500","maxLength":"24"}]'],
    ['no longest length', '{"roas":[{"asn":"AS64500","prefix":"192.0.2.0/24"}]}'],
    ['RIPEstat', '{"data":{"roas":[{"asn":"64500","prefix":"192.0.2.0/24","maxLength":"24","ta":"RIPE"}]}}'],
    ['an escape', '[{"prefix":"192.0.2.0\\/24","asn":64500,"\\u006daxLength":24}]'],
    ['unknown members', '[{"x":{"y":[1,"]}"]},"prefix":"192.0.2.0/24","z":-1.5e3,"asn":64500,"n":null}]'],
    ['blanks', ' [ { "prefix" : "192.0.2.0/24" ,\n\t"asn" : 64500 } ]\r\n'],
    ['a byte order mark', '\ufeff[{"prefix":"192.0.2.0/24","asn":64500}]'],
    [
      'SLURM of version 1',
      '{"slurmVersion":1,"locallyAddedAssertions":{"prefixAssertions":[{"asn":64500,"prefix":"192.0.2.0/24"}]}}',
    ],
    ['a member twice', '[{"asn":1,"prefix":"192.0.2.0/24","asn":64500}]'],
  ])('%s', (_, text) => {
    for (const chunkBytes of [1, 7, 65_536]) {
      const got = read(text, chunkBytes);
      expect([got.result, vrpsOf(got)]).toEqual(['success', ['192.0.2.0/24-24 AS64500']]);
    }
  });

  it('IPv6 in any spelling', () => {
    const got = read(
      '[{"prefix":"2001:0DB8:0000::0/32","asn":1,"maxLength":48},{"prefix":"2001:db8:0:0:0:0:0.0.0.0/32","asn":2}]',
    );
    expect(vrpsOf(got)).toEqual(['2001:db8::/32-32 AS2', '2001:db8::/32-48 AS1']);
  });

  it.each([
    ['host bits', '{"prefix":"192.0.2.1/24","asn":64500}'],
    ['a longest length that is shorter', '{"prefix":"192.0.2.0/24","asn":64500,"maxLength":23}'],
    ['a longest length over 32', '{"prefix":"192.0.2.0/24","asn":64500,"maxLength":33}'],
    ['an AS over 32 bits', '{"prefix":"192.0.2.0/24","asn":4294967296}'],
    ['an AS below 0', '{"prefix":"192.0.2.0/24","asn":-1}'],
    ['half an AS', '{"prefix":"192.0.2.0/24","asn":1.5}'],
    ['no AS', '{"prefix":"192.0.2.0/24"}'],
    ['no prefix', '{"asn":64500}'],
    ['a prefix without a length', '{"prefix":"192.0.2.0","asn":64500}'],
    ['octal', '{"prefix":"192.000.2.0/24","asn":64500}'],
    ['no object', '7'],
  ])('%s: refused, and the others are taken', (_, object) => {
    const got = read(`{"roas":[${object},{"prefix":"198.51.100.0/24","asn":64501,"maxLength":25}]}`);
    expect([got.result, vrpsOf(got), got.data.refused]).toEqual(['success', ['198.51.100.0/24-25 AS64501'], 1]);
  });

  it('what has expired is left out', () => {
    const got = read(
      `[{"prefix":"192.0.2.0/24","asn":1,"expires":${NOW_S}},{"prefix":"192.0.2.0/24","asn":2,"expires":${NOW_S + 1}}]`,
    );
    expect([vrpsOf(got), got.data.total]).toEqual([['192.0.2.0/24-24 AS2'], 1]);
    expect(got.data.vrps.covering(prefixOf('192.0.2.0/24'), NOW_S + 1)).toEqual([]);
  });

  it('all are counted by trust anchor, kept or not', () => {
    const objects = ['ripe', 'arin', 'ripe', 'N/A', ''].map(
      (ta, i) => `{"prefix":"10.${i}.0.0/16","asn":1,"ta":"${ta}"}`,
    );
    const scope = new RpkiScope([prefixOf('10.2.3.0/24')]);
    const { data } = read(`{"roas":[${objects.join()}]}`, 65_536, JSON_BOUNDS, scope);
    expect([data.vrps.size, data.total]).toEqual([1, 5]);
    expect(Object.fromEntries(data.perTrustAnchor)).toEqual({ ripe: 2, arin: 1, unknown: 2 });
  });

  it('trust anchors that somebody made up are few', () => {
    const objects = [...Array(100).keys()].map((i) => `{"prefix":"10.${i}.0.0/16","asn":1,"ta":"ta ${i}"}`);
    const { data } = read(`{"roas":[${objects.join()}]}`);
    expect(data.perTrustAnchor.size).toBe(17);
    expect(data.perTrustAnchor.get('other')).toBe(84);
  });

  it('ASPAs of two address families are merged', () => {
    const got = read(
      '{"provider_authorizations":{"ipv4":[{"customer_asid":1,"providers":[3]}],"ipv6":[{"customer_asid":"AS1","providers":["AS2",3]}]}}',
    );
    expect(aspasOf(got)).toEqual({ 1: [2, 3] });
  });
});

describe('texts that must not replace a good set', () => {
  it.each([
    ['', 'truncated'],
    ['{"roas":[', 'truncated'],
    ['{"roas":[{"prefix":"192.0.2.0/24","asn":64500},{"pre', 'truncated'],
    ['{"roas":[{"prefix":"192.0.2.0/24","asn":64500}]', 'truncated'],
    ['<html><body>503</body></html>', 'not_json'],
    ['{"roas":[{"prefix":"192.0.2.0/24",,"asn":64500}]}', 'not_json'],
    ['{"roas":[{"prefix":"192.0.2.0/24","asn":64500}]}}', 'not_json'],
    ['{"roas":[{"prefix":"192.0.2.0/24","asn":64500}}]', 'not_json'],
    ['{"roas" [{"prefix":"192.0.2.0/24","asn":64500}]}', 'not_json'],
    ['{roas:[]}', 'not_json'],
    ['{"roas":[]}', 'empty'],
    ['[]', 'empty'],
    ['{"roas":[{"asn":64500}]}', 'empty'],
    ['{"roas":[],"aspas":[]}', 'empty'],
    ['{}', 'foreign'],
    ['{"error":"no such page"}', 'foreign'],
    ['"roas"', 'foreign'],
    ['5', 'foreign'],
    ['{"roas":{"prefix":"192.0.2.0/24"}}', 'foreign'],
  ] as const)('%s: %s', (text, result) => {
    for (const chunkBytes of [1, 65_536]) expect(read(text, chunkBytes).result).toBe(result);
  });

  it.each([
    ['bytes', '[{"prefix":"192.0.2.0/24","asn":64500}]', { bytes: 20 }],
    ['depth of what is passed over', `{"x":${'['.repeat(40)}`, {}],
    ['depth inside an object', `[{"x":${'['.repeat(40)}`, {}],
    ['values', `[${'1,'.repeat(20)}1]`, { values: 20 }],
    ['bytes of one object', `[{"prefix":"${'1'.repeat(2_000)}`, { valueBytes: 1_000 }],
  ])('too large: %s', (_, text, bounds) => {
    for (const chunkBytes of [1, 65_536])
      expect(read(text, chunkBytes, { ...JSON_BOUNDS, ...bounds }).result).toBe('too_large');
  });

  it('is too large with more VRPs of one prefix than can be right', () => {
    const objects = [...Array(2_000).keys()].map((asn) => `{"prefix":"192.0.2.0/24","asn":${asn}}`);
    expect(read(`[${objects.join()}]`).result).toBe('too_large');
  });
});

describe('when the data was made', () => {
  it.each([
    ['{"metadata":{"generated":1795860487,"buildtime":"2020-01-01T00:00:00Z"}}', MADE],
    ['{"metadata":{"buildtime":"2026-11-28T10:08:07Z"}}', MADE],
    ['{"metadata":{"buildtime":"2026-11-28T11:08:07+01:00"}}', MADE],
    ['{"time":"2026-11-28T10:08:07.000000"}', MADE],
    ['{"metadata":{"generated":0,"buildtime":"yesterday"}}', undefined],
    ['{"metadata":[]}', undefined],
    ['{"metadata":"2026"}', undefined],
  ])('%s', (text, madeAtMs) => {
    expect(read(text).madeAtMs).toBe(madeAtMs);
  });
});

describe('the quick reader of one object', () => {
  const plain = new PlainVrp();

  it('agrees with the general reader of prefixes on whatever it takes', () => {
    const spelt = fc.oneof(
      fc.tuple(fc.ipV4(), fc.nat(34)).map(([ip, length]) => `${ip}/${length}`),
      fc.tuple(fc.ipV6(), fc.nat(130)).map(([ip, length]) => `${ip}/${length}`),
      fc.string({ unit: fc.constantFrom(...'0123456789abcdefAF:./'), maxLength: 24 }),
    );
    fc.assert(
      fc.property(spelt, (text) => {
        const bytes = Buffer.from(JSON.stringify({ asn: 1, prefix: text }));
        const parsed = parsePrefix(text);
        const taken = readPlainVrp(bytes, 0, bytes.length, plain);
        if (parsed === undefined) expect(taken).toBe(false);
        if (!taken || parsed === undefined) return;
        const { afi, length, words, hadHostBits } = plain;
        expect({ afi, length, words: [...words.slice(0, afi === 'ipv4' ? 1 : 4)], hadHostBits }).toEqual({
          ...{ afi: parsed.afi, length: parsed.length, words: parsed.words, hadHostBits: parsed.hadHostBits },
        });
      }),
      runs(2_000),
    );
  });

  it('takes usual objects, so that a set is read quickly', () => {
    const objects = [
      '{ "asn": 64500, "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "ripe", "expires": 1795903200 }',
      '{ "asn": "AS64500", "prefix": "2001:db8::/32", "maxLength": 48, "ta": "ripe" }',
      '{"prefix":"::/0","maxLength":0,"asn":0,"ta":"N/A"}',
    ];
    for (const text of objects) expect(readPlainVrp(Buffer.from(text), 0, text.length, plain)).toBe(true);
    expect([plain.afi, plain.length, plain.maxLength]).toEqual(['ipv6', 0, 0]);
  });
});

// Any value in any cut is read as JSON.parse reads it.
describe('the cutter', () => {
  it('gives every wanted value as it stands in the text, however the text is cut into chunks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 6 }),
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }),
        (list, other, indent, sizes) => {
          const text = Buffer.from(JSON.stringify({ other, in: { list }, more: [other] }, null, indent));
          const taken: unknown[] = [];
          const cutter = new ValueCutter(JSON_BOUNDS, {
            decide: (path) => (['', 'in', 'in.list'].includes(path) ? 'open' : path === 'in.list[]' ? 'take' : 'skip'),
            take: (_, bytes, from, to) => {
              taken.push(JSON.parse(bytes.toString('utf8', from, to)));
              return true;
            },
          });
          let at = 0;
          for (let i = 0; at < text.length; i++) {
            const size = sizes[i % sizes.length];
            expect(cutter.push(text.subarray(at, at + size))).toBe(true);
            at += size;
          }
          expect(cutter.end()).toBe('complete');
          expect(taken).toEqual(list.map((one) => JSON.parse(JSON.stringify(one))));
        },
      ),
      runs(300),
    );
  });

  it('never throws, and never takes the beginning of a text for the whole', () => {
    const right =
      '{"metadata":{"generated":1},"roas":[{"asn":1,"prefix":"10.0.0.0/8","maxLength":9,"ta":"x"}],"aspas":[{"customer":1,"providers":[2]}]}';
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(right.length), fc.constantFrom(...'{}[]",:0x\\ \n'), fc.nat(3)), { maxLength: 4 }),
        fc.nat(right.length),
        fc.integer({ min: 1, max: 40 }),
        (edits, end, chunkBytes) => {
          let text = right;
          for (const [at, by, gone] of edits) text = text.slice(0, at) + by + text.slice(at + gone);
          read(text, chunkBytes);
          const cut = read(right.slice(0, end), chunkBytes).result;
          expect(cut).toBe(end === right.length ? 'success' : 'truncated');
        },
      ),
      runs(500),
    );
  });
});

const FORMATS = recordingPath('rpki-formats');
if (FORMATS !== undefined) {
  describe('outputs of validators', () => {
    const ASPA_FILES = new Set([
      'rpki-client.json',
      'stayrtr.json',
      'rtrtr.json',
      'rtrdump.json',
      'routinator-aspa.json',
      'slurm-v2.json',
      'fort-aspa.json',
    ]);
    const UNDATED = new Set([
      'bare-array.json',
      'fort.json',
      'fort-aspa.json',
      'rtrdump.json',
      'rtrtr.json',
      'slurm-v2.json',
    ]);

    it.each(readdirSync(FORMATS))('%s', (name) => {
      const text = readFileSync(join(FORMATS, name));
      for (const chunkBytes of [1, 13, 65_536]) {
        const got = read(text, chunkBytes);
        expect(got.result).toBe('success');
        if (name === 'ripestat-rpki-validation.json') {
          expect(vrpsOf(got)).toEqual(['2a10:cc44:1d0::/44-48 AS208454']);
          continue;
        }
        expect(vrpsOf(got)).toEqual(name === 'fort-aspa.json' ? [] : FIVE);
        expect(aspasOf(got)).toEqual(ASPA_FILES.has(name) ? TWO_ASPAS : {});
        expect(got.madeAtMs).toBe(UNDATED.has(name) ? undefined : MADE);
        expect(got.data.refused).toBe(0);
      }
    });
  });
}

const APNIC = recordingPath('vrps-apnic-2019.json.gz');
if (APNIC !== undefined) {
  it('5,000 real VRPs are read as JSON.parse reads them', () => {
    const text = gunzipSync(readFileSync(APNIC));
    const list = JSON.parse(text.toString()) as { prefix: string; asn: string; maxLength: number }[];
    const { data } = read(text, 1_000);
    expect([data.total, data.refused, list.length]).toEqual([5_000, 0, 5_000]);
    const found = new Set(list.map(({ prefix, asn, maxLength }) => `${prefixOf(prefix).text} ${maxLength} ${asn}`));
    expect(data.vrps.size).toBe(found.size);
    for (const { prefix } of list) {
      for (const one of data.vrps.covering(prefixOf(prefix), NOW_S))
        expect(found).toContain(`${one.prefix} ${one.maxLength} ${one.asn}`);
    }
  });
}
