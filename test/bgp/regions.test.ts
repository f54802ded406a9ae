import { describe, expect, it } from 'vitest';
import { countryOf, REGIONS, regionOf } from '../../src/bgp/regions.ts';

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const CODES = LETTERS.flatMap((first) => LETTERS.map((second) => first + second));

describe('regions', () => {
  it('have every country of ISO 3166, and Kosovo; of those that are assigned, only Antarctica is in none', () => {
    const known = CODES.filter((code) => regionOf(code) !== 'unknown');
    expect(known).toHaveLength(249 - 1 + 1);
    expect(regionOf('AQ')).toBe('unknown');
    // Unicode has a name for each, so that none is misspelt; where it has none it gives back the code.
    const english = new Intl.DisplayNames('en', { type: 'region' });
    expect(known.filter((code) => english.of(code) === code)).toEqual([]);
    expect(new Set(known.map(regionOf))).toEqual(new Set(REGIONS.filter((region) => region !== 'unknown')));
  });

  it.each([
    ['NL', 'europe'],
    ['RU', 'europe'],
    ['TR', 'asia'],
    ['SG', 'asia'],
    ['EG', 'africa'],
    ['ZA', 'africa'],
    ['MX', 'north_america'],
    ['PA', 'north_america'],
    ['BR', 'south_america'],
    ['NZ', 'oceania'],
    ['', 'unknown'],
    ['nl', 'unknown'],
    ['constructor', 'unknown'],
  ])('%s is in %s', (code, region) => {
    expect(regionOf(code)).toBe(region);
  });
});

describe('a text that names a country', () => {
  it.each([
    ['NL', 'NL'],
    [' nl ', 'NL'],
    ['Netherlands', 'NL'],
    ['the Netherlands', 'NL'],
    ['United Kingdom', 'GB'],
    ['UK', 'GB'],
    ['USA', 'US'],
    ['brazil', 'BR'],
    ['Hong Kong', 'HK'],
    ['', ''],
    ['ZZ', ''],
    ['Atlantis', ''],
    ['__proto__', ''],
  ])('%j: %j', (text, code) => {
    expect(countryOf(text)).toBe(code);
  });
});
