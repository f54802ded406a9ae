/** The fast decoder against the general one. A long run: `npm run fuzz -- --runs=10000000 --seed=7`. */
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../../../src/bgproutes/live/message.ts';
import { FastDecoder } from '../../../../src/bgproutes/live/scanner/fast-decoder.ts';
import { Fold, FoldCounts } from '../../../../src/table/fold.ts';
import { RoutingTable } from '../../../../src/table/routing-table.ts';
import { TableIds } from '../../../../src/table/table-ids.ts';
import { runs } from '../../../support/property-runs.ts';
import { watchedPrefix } from '../../../support/table-world.ts';
import { fuzzDecoders } from '../decoder-fuzz.ts';
import { fuzzCorpora } from '../fuzz-corpora.ts';

describe('fast and general decoder agree on every input', () => {
  it.each(fuzzCorpora(2_000).map(({ name, lines }, i) => [name, lines, i + 1] as const))(
    '%s',
    (_, corpus, seed) => {
      const count = runs(6_000).numRuns;
      const { understood, understoodOfValid, valid, readable } = fuzzDecoders({ runs: count, seed, corpus });
      // Else this would compare the general decoder with itself, or see nothing but refusals.
      expect(understoodOfValid / valid).toBeGreaterThan(0.6);
      expect(understood).toBeGreaterThan(understoodOfValid);
      expect(readable).toBeGreaterThan(valid);
    },
    600_000,
  );
});

function understands(decoder: FastDecoder, frame: Buffer): boolean {
  expect(decoder.scan([frame], 0)).toBe(1);
  return decoder.read(0) === 1;
}

describe('what the service sends all day is understood without the general decoder', () => {
  const HEAD = '"sec":1767225600,"Usec":5';
  const REST = '"communities":"64500:1","nexthop":"192.0.2.1","origin":"IGP"';
  const decoder = () => {
    const table = new RoutingTable();
    table.watch([watchedPrefix('198.51.100.0/24'), watchedPrefix('2001:db8::/32')], 0);
    const fold = new Fold(table);
    const known = [
      '"record_type":"update","vp":"64500_192.0.2.1"',
      '"record_type":"bmp_update","vp":"64501_192.0.2.2","bmp_peer":"64502_2001:db8::1"',
    ];
    for (const vp of known) {
      const lists = '"prefixes":"198.51.100.0/24,2001:db8::/32,203.0.113.0/24,198.51.100.128/25"';
      const met = decodeMessage(`{${vp},${HEAD},${lists},"as-path":"64500 64496",${REST}}`);
      if (met.ok) fold.apply(met.update, 0, new FoldCounts(), 1_767_225_600_000);
    }
    return new FastDecoder(new TableIds(table));
  };

  it.each([
    [
      'an announcement',
      `{"record_type":"update","vp":"64500_192.0.2.1",${HEAD},"prefixes":"198.51.100.0/24","as-path":"64500 64496",${REST}}`,
    ],
    [
      'a path never met',
      `{"record_type":"update","vp":"64500_192.0.2.1",${HEAD},"prefixes":"198.51.100.0/24","as-path":"64500 {1,2}",${REST}}`,
    ],
    [
      'prefixes and more-specifics met before',
      `{"record_type":"update","vp":"64500_192.0.2.1",${HEAD},"prefixes":"203.0.113.0/24,198.51.100.128/25","as-path":"64500",${REST}}`,
    ],
    [
      'a withdrawal',
      `{"record_type":"update","vp":"64500_192.0.2.1",${HEAD},"withdraws":"198.51.100.0/24,2001:db8::/32"}`,
    ],
    [
      'both at once',
      `{"record_type":"update","vp":"64500_192.0.2.1",${HEAD},"withdrawn":"198.51.100.0/24","prefixes":"2001:db8::/32","as-path":"64500"}`,
    ],
    [
      'BMP',
      `{"record_type":"bmp_update","vp":"64501_192.0.2.2","bmp_peer":"64502_2001:db8::1",${HEAD},"prefixes":"2001:db8::/32","as-path":"64500",${REST}}`,
    ],
    [
      'the blanks of Python',
      `{"record_type": "update", "vp": "64500_192.0.2.1", "sec": 1767225600, "Usec": 5, "withdraws": "198.51.100.0/24"}`,
    ],
    [
      'times as text',
      `{"record_type":"update","vp":"64500_192.0.2.1","sec":"1767225600","Usec":"5","withdraws":"198.51.100.0/24"}`,
    ],
    [
      'another order of keys',
      `{${HEAD},"prefixes":"198.51.100.0/24",${REST},"as-path":"64500 64496","vp":"64500_192.0.2.1","record_type":"update"}`,
    ],
  ])('%s', (_, frame) => {
    expect(understands(decoder(), Buffer.from(frame))).toBe(true);
  });

  it('wherever the frame lies in its buffer', () => {
    const frame = `{"record_type":"update","vp":"64500_192.0.2.1",${HEAD},"prefixes":"198.51.100.0/24","as-path":"64500 64496",${REST}}`;
    const one = decoder();
    for (let at = 0; at < 9; at++) {
      const buffer = Buffer.from(`${'"'.repeat(at)}${frame}${'9'.repeat(9 - at)}`);
      expect(understands(one, buffer.subarray(at, at + frame.length))).toBe(true);
      // Cut short, what follows in the buffer must not be read.
      expect(understands(one, buffer.subarray(at, at + frame.length - 1))).toBe(false);
    }
  });

  it('reads a path of as many ASes as BGP can carry; the general decoder refuses a longer one', () => {
    const frame = (ases: number) =>
      Buffer.from(
        `{"record_type":"update","vp":"64500_192.0.2.1",${HEAD},"prefixes":"198.51.100.0/24","as-path":"${Array(ases).fill('7').join(' ')}"}`,
      );
    expect(understands(decoder(), frame(16_344))).toBe(true);
    expect(understands(decoder(), frame(16_345))).toBe(false);
    expect(decodeMessage(frame(16_344))).toMatchObject({ ok: true });
    expect(decodeMessage(frame(16_345))).toEqual({ ok: false, reason: 'invalid_as_path' });
  });
});
