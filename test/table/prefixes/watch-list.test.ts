import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsPrefix, ipv4PrefixNumber, type Prefix, parsePrefix } from '../../../src/bgp/prefix.ts';
import { WatchList } from '../../../src/table/prefixes/watch-list.ts';
import { runs } from '../../support/property-runs.ts';

const p = (text: string): Prefix => parsePrefix(text)!;

/** Prefixes that contain each other often: few addresses, any length. */
const prefix = fc.oneof(
  fc
    .tuple(fc.constantFrom('198.51.100.7', '198.51.100.200', '10.0.0.1', '0.0.0.0'), fc.nat(32))
    .map(([a, l]) => p(`${a}/${l}`)),
  fc
    .tuple(fc.constantFrom('2001:db8::1', '2001:db8:8000::', '::', '::ffff:192.0.2.1'), fc.nat(128))
    .map(([a, l]) => p(`${a}/${l}`)),
);

describe('which monitored prefixes contain a prefix', () => {
  it('finds what comparing with each one finds, longest first, however the list changed before', () => {
    const step = fc.record({ add: fc.boolean(), prefix });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(prefix, { maxLength: 10 }), (steps, asked) => {
        const list = new WatchList<string>();
        const model = new Map<string, Prefix>();
        for (const { add, prefix } of steps) {
          if (add) list.set(prefix, prefix.text);
          else list.delete(prefix);
          if (add) model.set(prefix.text, prefix);
          else model.delete(prefix.text);
        }
        expect(list.size).toBe(model.size);
        for (const inner of [...asked, ...model.values()]) {
          const outer = [...model.values()].filter((one) => one.length < inner.length && containsPrefix(one, inner));
          outer.sort((a, b) => b.length - a.length);
          expect(list.containing(inner)).toEqual(outer.map((one) => one.text));
          expect(list.nearest(inner)).toBe(outer[0]?.text);
          if (inner.afi === 'ipv4') expect(list.nearestIpv4(ipv4PrefixNumber(inner.text))).toBe(outer[0]?.text);
          expect(list.get(inner.text)).toBe(model.has(inner.text) ? inner.text : undefined);
        }
      }),
      runs(300),
    );
  });

  it('does not contain itself, and families never mix', () => {
    const list = new WatchList<number>();
    list.set(p('::/0'), 6);
    list.set(p('198.51.100.0/24'), 4);
    expect(list.containing(p('198.51.100.0/24'))).toEqual([]);
    expect(list.containing(p('198.51.100.0/25'))).toEqual([4]);
    expect(list.containing(p('::ffff:198.51.100.0/120'))).toEqual([6]);
  });
});
