import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Labels } from '../../../src/metrics/metric.ts';
import { formatNumber, labelRun, runOf, TextBytes } from '../../../src/outputs/text/text-bytes.ts';
import { runs } from '../../support/property-runs.ts';

const START = runOf('name{');
const END = runOf('} ');

/** What one line is, in bytes, at any place: the runs before it shift where the doubles of this one stand. */
function lineOf(value: string, number: number, before = ''): string {
  const out = new TextBytes();
  out.begin(0);
  const head = Buffer.from(before);
  out.copy(head, 0, head.length);
  out.line(START, labelRun(new Labels(['a'], [value])), END, number);
  const body = out.take().toString();
  expect(body.startsWith(before)).toBe(true);
  return body.slice(before.length);
}

describe('numbers', () => {
  it.each([
    ...[0, 9, 10, 99, 100, 999_999_999, 1_000_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER],
    ...[-0, -1, 0.5, 1.5, 5e-324, -1.7976931348623157e308, -2.2250738585072014e-308],
    ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ])('%d is written as its text', (value) => {
    expect(lineOf('x', value)).toBe(`name{a="x"} ${formatNumber(value)}\n`);
  });

  it('any number is written as its text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer(), fc.maxSafeNat()), (value) => {
        expect(lineOf('x', value)).toBe(`name{a="x"} ${formatNumber(value)}\n`);
      }),
      runs(1_000),
    );
  });
});

describe('texts', () => {
  it('of every length and of every kind of character keep their bytes, wherever they stand', () => {
    // DEL and the first bytes of long characters are what a NaN would begin with.
    const character = fc.oneof(
      fc.constantFrom('\x7f', '\u{10ffff}', '\u{100000}', '\u00ff', '\uffff', '\ud7ff', '\0', '\x80'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.array(character, { maxLength: 24 }), fc.string({ maxLength: 9 }), (characters, before) => {
        const value = characters.join('');
        const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
        expect(lineOf(value, 1, before)).toBe(`name{a="${escaped}"} 1\n`);
      }),
      runs(1_000),
    );
  });

  it('grow the buffer, and keep what was written before', () => {
    const out = new TextBytes();
    out.begin(3);
    const labels = labelRun(new Labels(['a'], ['0123456789']));
    for (let i = 0; i < 1_000; i++) out.line(START, labels, END, i);
    const body = out.take().toString();
    expect(body).toBe([...Array(1_000).keys()].map((i) => `name{a="0123456789"} ${i}\n`).join(''));
    expect(out.length).toBe(body.length);
  });
});
