import { describe, expect, it } from 'vitest';
import { type Announcement, type LiveMessage, messagesOf } from '../../../src/bgp/live-message.ts';
import { formatMessage } from '../../../src/bgproutes/client/format-message.ts';
import { decodeMessage } from '../../../src/bgproutes/live/message.ts';

function messages(frame: object): LiveMessage[] {
  const result = decodeMessage(JSON.stringify(frame));
  if (!result.ok) throw new Error(result.reason);
  return messagesOf(result.update);
}

const UPDATE = {
  record_type: 'update',
  vp: '3333_193.0.0.56',
  sec: 1_700_000_000,
  Usec: 123_456,
  prefixes: '192.23.62.0/24,2a06:3040:10::/48',
  'as-path': '3333 1103 64500',
  communities: '3333:100 64500:1:2',
  nexthop: '193.0.0.56',
  origin: 'IGP',
};

describe('formatMessage', () => {
  it('prints an announcement in both formats', () => {
    const [message] = messages(UPDATE);
    expect(formatMessage(message, { style: 'v1' })).toBe(
      '1700000000.123456|U|3333|193.0.0.56|192.23.62.0/24,2a06:3040:10::/48|3333 1103 64500|3333:100 64500:1:2|IGP|193.0.0.56',
    );
    expect(formatMessage(message, { style: 'v2' })).toBe(
      '1700000000.123456|U|bgp|3333|193.0.0.56|||192.23.62.0/24,2a06:3040:10::/48|3333 1103 64500|3333:100 64500:1:2|IGP|193.0.0.56',
    );
    expect(formatMessage(message)).toBe(formatMessage(message, { style: 'v2' }));
  });

  it('prints the parent of a BMP VP only in v2', () => {
    const [message] = messages({ ...UPDATE, record_type: 'bmp_update', bmp_peer: '64501_2001:db8::9' });
    expect(formatMessage(message, { style: 'v1' })).toMatch(/^1700000000\.123456\|U\|64501\|2001:db8::9\|192/);
    expect(formatMessage(message, { style: 'v2' })).toMatch(
      /^1700000000\.123456\|U\|bmp\|64501\|2001:db8::9\|3333\|193\.0\.0\.56\|192/,
    );
  });

  it('prints a withdrawal with its prefixes and empty attributes', () => {
    const [message] = messages({ record_type: 'update', vp: '3333_193.0.0.56', sec: 5, withdraws: '192.23.62.0/24' });
    expect(formatMessage(message, { style: 'v1' })).toBe('5.0|W|3333|193.0.0.56|192.23.62.0/24||||');
    expect(formatMessage(message, { style: 'v2' })).toBe('5.0|W|bgp|3333|193.0.0.56|||192.23.62.0/24||||');
  });

  it('leaves empty what an announcement does not have', () => {
    const [message] = messages({ record_type: 'update', vp: '1_192.0.2.1', sec: 5, prefixes: '::/0', 'as-path': '' });
    expect(formatMessage(message, { style: 'v1' })).toBe('5.0|U|1|192.0.2.1|::/0||||');
  });

  // As Python's repr() prints `sec + Usec / 1e6`; test/real compares with Python itself.
  it.each([
    [1_700_000_000, 0, '1700000000.0'],
    [1_700_000_000, 250_000, '1700000000.25'],
    [1_700_000_000, 1, '1700000000.000001'],
    [1_700_000_000, 999_999, '1700000000.999999'],
    [1_700_000_000, 100, '1700000000.0001'],
    [4_294_967_296, 7, '4294967296.000007'],
    [7_258_118_400, 999_999, '7258118400.999999'],
    [0, 0, '0.0'],
    [0, 100, '0.0001'],
    [0, 99, '9.9e-05'],
    [0, 10, '1e-05'],
    [0, 1, '1e-06'],
    [1, 1, '1.000001'],
  ])('prints %i s and %i µs as %s', (sec, Usec, text) => {
    const [message] = messages({ ...UPDATE, sec, Usec });
    expect(formatMessage(message, { style: 'v1' }).split('|')[0]).toBe(text);
    expect(Number(text)).toBe(message.timestamp);
  });

  it('lets no text of a stranger break the line, the fields or a terminal', () => {
    const [message] = messages({
      ...UPDATE,
      communities: '3333:100\n1|W|2',
      nexthop: '\u001b[31mred\u2028',
      origin: 'I\u0000GP\u202e',
    });
    const line = formatMessage(message, { style: 'v1' });
    expect(line.split('|')).toHaveLength(9);
    expect(line).toMatch(/\|3333:100 1 W 2\|I GP \| \[31mred $/);
  });
});

describe('messages', () => {
  it('have lists of what is a list', () => {
    const [message] = messages({ ...UPDATE, communities: ' 1:2  3:4:5 ', nexthop: '2001:db8::1, fe80::1' });
    expect(message as Announcement).toMatchObject({
      communities: ' 1:2  3:4:5 ',
      communityList: ['1:2', '3:4:5'],
      nextHops: ['2001:db8::1', 'fe80::1'],
    });
  });

  it('survive JSON unchanged', () => {
    const all = [...messages(UPDATE), ...messages({ ...UPDATE, prefixes: undefined, withdraws: '::/0' })];
    expect(JSON.parse(JSON.stringify(all))).toEqual(all);
  });
});
