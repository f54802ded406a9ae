import { describe, expect, it } from 'vitest';
import { RecordFilter } from '../../../src/kafka/bmp/record-filter.ts';
import { filterOf } from './heard.ts';
import {
  announce,
  attribute,
  bmp,
  hex,
  nlri,
  openBmp,
  peerDown,
  routeMonitoring,
  update,
  withdraw,
} from './messages.ts';

const filter = new RecordFilter(filterOf('192.0.2.0/24', '2001:db8::/32'));
const routes = (message: Buffer) => openBmp(routeMonitoring({}, message));
const unreach = (...prefixes: string[]) =>
  update({ attributes: [attribute(15, Buffer.concat([hex('0002 01'), nlri(...prefixes)]))] });
const otherIpv6 = attribute(15, Buffer.concat([hex('0002 01'), nlri('2001:db9::/32')]));
const replaced = (record: Buffer, at: number, byte: number) => {
  record[at < 0 ? record.length + at : at] = byte;
  return record;
};

describe('at receipt', () => {
  it.each([
    ['a monitored prefix', routes(announce(['192.0.2.0/24'], [1]))],
    ['one inside it, withdrawn', routes(withdraw('198.51.100.0/24', '192.0.2.128/25'))],
    ['one with a path identifier', routes(announce(['192.0.2.0/24#16777217'], [1]))],
    ['one of IPv6', routes(unreach('2001:db8:1::/48'))],
    ['one without a header', routeMonitoring({}, withdraw('192.0.2.0/24'))],
    ['a Peer Down', openBmp(peerDown({}))],
    ['another object', openBmp(routeMonitoring({}, withdraw('10.0.0.0/8')), { object: 1 })],
    ['two messages', Buffer.concat([routeMonitoring({}, withdraw('10.0.0.0/8')), bmp(4)])],
    ['a cut message', routes(withdraw('10.0.0.0/8')).subarray(0, -1)],
    ['a malformed prefix', routes(withdraw('10.0.0.0/33'))],
    ['another family', routes(update({ attributes: [attribute(15, hex('0001 80'))] }))],
    ['a header of another program', replaced(routes(withdraw('10.0.0.0/8')), 2, 0xea)],
    ['a header of another version', replaced(routes(withdraw('10.0.0.0/8')), 4, 2)],
    ['a header shorter than its name', replaced(routes(withdraw('10.0.0.0/8')), 38, 0xff)],
    ['a message without its marker', replaced(routes(withdraw('10.0.0.0/8')), -25, 0xfe)],
    ['a family told twice', routes(update({ attributes: [otherIpv6, otherIpv6] }))],
    ['text', Buffer.from('V: 1.7')],
    ['nothing', Buffer.alloc(0)],
  ])('%s goes on', (_, record) => {
    expect(filter.isNeeded(record)).toBe(true);
  });

  it.each([
    ['other prefixes', routes(announce(['198.51.100.0/24', '192.0.0.0/16', '0.0.0.0/0'], [1])), 3],
    ['others of IPv6', routes(unreach('2001:db9::/32', '2001::/16')), 2],
    ['an End-of-RIB', routes(update({})), 0],
  ])('%s are turned away and counted', (_, record, prefixes) => {
    expect([filter.isNeeded(record), filter.prefixes]).toEqual([false, prefixes]);
  });
});
