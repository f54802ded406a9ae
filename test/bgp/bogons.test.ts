import { describe, expect, it } from 'vitest';
import { bogonOf } from '../../src/bgp/bogons.ts';
import { prefixOf } from '../rpki/vrp-world.ts';

describe('a prefix that is never announced', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8', 1918],
    ['10.1.2.0/24', '10.0.0.0/8', 1918],
    ['172.31.0.0/16', '172.16.0.0/12', 1918],
    ['100.127.255.0/24', '100.64.0.0/10', 6598],
    ['203.0.113.128/25', '203.0.113.0/24', 5737],
    ['239.1.0.0/16', '224.0.0.0/4', 5771],
    ['2001:db8:1::/48', '2001:db8::/32', 3849],
    ['3fff:fff::/32', '3fff::/20', 9637],
  ])('%s is in %s (RFC %i)', (text, block, rfc) => {
    expect(bogonOf(prefixOf(text))).toEqual({ block, rfc, isOutside: false });
  });

  it.each(['fe80::/10', 'fd00::/8', '::/8', '4000::/3', '::/96'])('%s is outside of 2000::/3', (text) => {
    expect(bogonOf(prefixOf(text))).toEqual({ block: '2000::/3', rfc: 4291, isOutside: true });
  });
});

it.each([
  '192.23.62.0/24',
  '172.32.0.0/12',
  '9.0.0.0/8',
  '8.0.0.0/6', // more than the bogon in it
  '0.0.0.0/0',
  '::/0',
  '2000::/3',
  '2a06:3040:10::/48',
  '2001:67c::/32',
])('%s may be announced', (text) => {
  expect(bogonOf(prefixOf(text))).toBeUndefined();
});
