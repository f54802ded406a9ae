import { expect, it } from 'vitest';
import { type Column, columnLine, fitted, titlesOf, widthsOf } from '../../../src/commands/terminal/columns.ts';

const COLUMNS: readonly Column[] = [
  { title: 'ID', right: true },
  { title: 'ADDRESS' },
  { title: 'ROUTES', right: true, goes: 1 },
  { title: 'COUNTRY', goes: 2 },
  { title: 'NAME', goes: 3 },
];
const ROWS = [
  ['7', '192.0.2.1', '1000000', 'NL', 'An organisation with a long name'],
  ['12', '2001:db8::1', '', 'DE', 'Short'],
];

function lines(width: number | undefined): string[] {
  const { columns, rows } = fitted(COLUMNS, ROWS, width);
  const widths = widthsOf(columns, rows);
  return [titlesOf(columns), ...rows].map((row) => columnLine(columns, widths, row));
}

it('all columns where there is no terminal, or a wide one', () => {
  expect(lines(undefined)).toEqual([
    'ID  ADDRESS       ROUTES  COUNTRY  NAME',
    ' 7  192.0.2.1    1000000  NL       An organisation with a long name',
    '12  2001:db8::1           DE       Short',
  ]);
  expect(lines(67)).toEqual(lines(undefined));
});

it('a narrow one cuts the last column, then loses columns in their order, and keeps the rest', () => {
  expect(lines(60)[1]).toBe(' 7  192.0.2.1    1000000  NL       An organisation with a l…');
  expect(lines(44)).toEqual([
    'ID  ADDRESS      COUNTRY  NAME',
    ' 7  192.0.2.1    NL       An organisation w…',
    '12  2001:db8::1  DE       Short',
  ]);
  expect(lines(20)).toEqual(['ID  ADDRESS', ' 7  192.0.2.1', '12  2001:db8::1']);
});

it('never has a line over the width while a column can go', () => {
  for (let width = 15; width < 80; width++) {
    expect(Math.max(...lines(width).map((line) => line.length))).toBeLessThanOrEqual(width);
  }
});
