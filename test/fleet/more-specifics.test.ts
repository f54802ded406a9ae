/** What an ingest remembers of more-specifics is bounded, and is by the nearest monitored prefix. */
import { expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../src/bgp/prefix.ts';
import { MoreSpecifics } from '../../src/fleet/ingest/more-specifics.ts';

const [OUTER, INNER] = ['2001:db8::/32', '2001:db8:1::/48'];
const MONITORED = [OUTER, INNER].map(parsePrefix) as Prefix[];

it('more-specifics belong to the nearest monitored prefix, and the one that was heard of first makes room', () => {
  const names = new MoreSpecifics(MONITORED, 2);
  for (const text of ['2001:db8:2::/48', INNER, '2001:db8:1:1::/64', '2001:db8::/24', '192.0.2.0/24', 'junk'])
    names.note(text);
  expect([OUTER, INNER].map((prefix) => [...names.of(prefix)])).toEqual([['2001:db8:2::/48'], ['2001:db8:1:1::/64']]);
  for (const text of ['2001:db8:3::/48', '2001:db8:2::/48', '2001:db8:4::/48']) names.note(text);
  expect([...names.of(OUTER)]).toEqual(['2001:db8:3::/48', '2001:db8:4::/48']);
  // What has made room may come again.
  names.note('2001:db8:2::/48');
  expect([...names.of(OUTER)]).toEqual(['2001:db8:4::/48', '2001:db8:2::/48']);
  expect([...names.of('192.0.2.0/24')]).toEqual([]);
});

it('no name is kept above the bound of all, nor where a prefix may have none', () => {
  const names = new MoreSpecifics(MONITORED, 256, 2);
  for (const part of [2, 3, 4]) names.note(`2001:db8:${part}::/48`);
  names.note('2001:db8:1:1::/64');
  expect([OUTER, INNER].map((prefix) => [...names.of(prefix)])).toEqual([['2001:db8:2::/48', '2001:db8:3::/48'], []]);
  const none = new MoreSpecifics(MONITORED, 0);
  none.note('2001:db8:2::/48');
  expect([...none.of(OUTER)]).toEqual([]);
});
