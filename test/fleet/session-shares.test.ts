/** Which session writes what two sessions deliver. */
import { describe, expect, it } from 'vitest';
import type { RouteUpdate } from '../../src/bgp/route-event.ts';
import { SessionShares } from '../../src/fleet/ingest/session-shares.ts';

const update = (announced: readonly string[], withdrawn: readonly string[] = []): RouteUpdate => ({
  ...{ vp: { protocol: 'bgp', asn: 64_501, ip: '198.51.100.1' }, timeUs: 1_700_000_000_000_000, announced, withdrawn },
  attributes: { asPath: '64501 64500', communities: '', nextHop: '', originAttribute: 'IGP' },
});

describe('of nested prefixes in two sessions', () => {
  const shares = new SessionShares([
    ['10.0.0.0/8', '2001:db8::/32'],
    ['10.1.0.0/16', '192.0.2.0/24'],
  ]);

  it.each([
    ['the inner prefix', '10.1.0.0/16', 1],
    ['a more-specific of the inner one', '10.1.2.0/24', 1],
    ['the outer prefix', '10.0.0.0/8', 0],
    ['a more-specific of the outer one alone', '10.2.0.0/16', 0],
    ['a more-specific of IPv6', '2001:db8:1::/48', 0],
  ])('%s is written by the session of the nearest one', (_, prefix, owner) => {
    for (const of of [update([prefix]), update([], [prefix])]) {
      expect(shares.ownOf(of, owner)).toBe(of);
      expect(shares.ownOf(of, 1 - owner)).toEqual({ ...of, announced: [], withdrawn: [] });
    }
  });

  it('what is not monitored is left to whoever counts it', () => {
    const foreign = update(['203.0.113.0/24', 'no prefix']);
    expect(shares.ownOf(foreign, 0)).toBe(foreign);
  });

  it('a message about both is divided', () => {
    expect(shares.ownOf(update(['10.0.0.0/8', '10.1.0.0/16'], ['10.1.3.0/24']), 0)).toMatchObject({
      announced: ['10.0.0.0/8'],
      withdrawn: [],
    });
  });
});

it('a prefix that two sessions carry is written by both: they are of sources of their own', () => {
  const shares = new SessionShares([['10.0.0.0/8'], ['10.0.0.0/8', '10.1.0.0/16']]);
  const both = update(['10.0.0.0/8']);
  expect([shares.ownOf(both, 0), shares.ownOf(both, 1)]).toEqual([both, both]);
  expect(shares.ownOf(update(['10.1.0.0/16']), 0).announced).toEqual([]);
});
