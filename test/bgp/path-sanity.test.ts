import { describe, expect, it } from 'vitest';
import { parseAsPath } from '../../src/bgp/as-path.ts';
import { anomaliesOf, anomalyNames, TRANSIT_FREE } from '../../src/bgp/path-sanity.ts';

const RULES = { transitFree: new Set(TRANSIT_FREE), allowed: new Set([65_000, 112]) };

function anomaliesIn(text: string, rules = RULES): string {
  const path = parseAsPath(text);
  if (path === undefined) throw new Error(`${text} is no path`);
  return anomalyNames(anomaliesOf(path, rules)).join(' ');
}

describe('anomalies of a path', () => {
  it.each([
    ['', ''],
    ['3333 1103 2914 1299 15169', ''],
    ['3333 3333 1103 1103 1103', ''], // prepending
    ['3333 1103 3333', 'loop'],
    ['1103 15169 666 15169 15169', 'loop'], // poisoning
    ['1103 112 666 112', ''], // allowed
    ['3333 0 1103', 'as_zero'],
    ['3333 23456 1103', 'as_trans'],
    ['23455 23457 64495', ''],
    ['3333 64496', 'documentation_as'],
    ['3333 64511', 'documentation_as'],
    ['3333 64512', 'private_as'],
    ['3333 65534', 'private_as'],
    ['3333 65000 1103', ''], // allowed
    ['3333 65535', 'reserved_as'],
    ['3333 65536', 'documentation_as'],
    ['3333 65551', 'documentation_as'],
    ['3333 65552', 'reserved_as'],
    ['3333 131071', 'reserved_as'],
    ['3333 131072', ''],
    ['3333 4199999999', ''],
    ['3333 4200000000', 'private_as'],
    ['3333 4294967294', 'private_as'],
    ['3333 4294967295', 'reserved_as'],
    ['3333 {1103,1104}', 'as_set'],
    ['3333 {1103,64512}', 'private_as as_set'],
    ['3333 (64512 64513) 1103', 'private_as confederation'],
    ['3333 [1104] 1103', 'confederation'],
    ['3333 174 9002 3356 1103', 'valley'],
    ['174 9002 9003 3356', 'valley'],
    ['3333 174 3356 1103', ''],
    ['3333 174 174 3356 1103', ''],
    ['174 9002 174', 'loop valley'],
    ['174 112 3356', ''], // allowed
    ['174 {9002} 3356', 'as_set'], // the order of a set is not known
    ['9002 174 9003', ''],
  ])('%s: %s', (text, anomalies) => {
    expect(anomaliesIn(text)).toBe(anomalies);
  });

  it('are no valleys without transit-free ASes', () => {
    expect(anomaliesIn('174 9002 3356', { ...RULES, transitFree: new Set() })).toBe('');
  });
});
