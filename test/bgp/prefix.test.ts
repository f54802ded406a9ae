import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  containsPrefix,
  formatAddress,
  ipv4PrefixNumber,
  maskWords,
  parseAddress,
  parsePrefix,
} from '../../src/bgp/prefix.ts';
import { runs } from '../support/property-runs.ts';

const text = (prefix: string) => parsePrefix(prefix)?.text;

describe('one spelling for each prefix', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.255/32', '255.255.255.255/32'],
    ['::/0', '::/0'],
    ['0:0:0:0:0:0:0:0/0', '::/0'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:0db8:0000:0000:0000:0000:0000:0000/32', '2001:db8::/32'],
    ['2a12:ca42:0:0:0:0:0:0/32', '2a12:ca42::/32'],
    ['2001:db8::1/128', '2001:db8::1/128'],
    ['::1/128', '::1/128'],
    ['1::/16', '1::/16'],
    // RFC 5952 section 4.2.2: one zero group alone is written out
    ['2001:db8:0:1:1:1:1:1/128', '2001:db8:0:1:1:1:1:1/128'],
    ['2001:db8::1:1:1:1:1/128', '2001:db8:0:1:1:1:1:1/128'],
    // section 4.2.3: the longest run, the first of two equal ones
    ['2001:0:0:1:0:0:0:1/128', '2001:0:0:1::1/128'],
    ['2001:db8:0:0:1:0:0:1/128', '2001:db8::1:0:0:1/128'],
    ['0:0:0:1:0:0:0:1/128', '::1:0:0:0:1/128'],
    // section 5: dotted only under the IPv4-mapped prefix
    ['::ffff:c000:201/128', '::ffff:192.0.2.1/128'],
    ['::ffff:192.0.2.1/128', '::ffff:192.0.2.1/128'],
    ['::ffff:0:0/96', '::ffff:0.0.0.0/96'],
    ['::192.0.2.1/128', '::c000:201/128'],
    ['64:ff9b::192.0.2.33/128', '64:ff9b::c000:221/128'],
    ['1:2:3:4:5:6:7::/128', '1:2:3:4:5:6:7:0/128'],
    ['::2:3:4:5:6:7:8/128', '0:2:3:4:5:6:7:8/128'],
  ])('%s is %s', (input, canonical) => {
    expect(text(input)).toBe(canonical);
    expect(text(canonical)).toBe(canonical);
  });

  it('bits beyond the length are cleared and reported', () => {
    expect(parsePrefix('192.0.2.1/24')).toEqual({
      text: '192.0.2.0/24',
      afi: 'ipv4',
      length: 24,
      words: [0xc0000200],
      hadHostBits: true,
    });
    expect(parsePrefix('192.0.2.0/24')?.hadHostBits).toBe(false);
    expect(parsePrefix('2001:db8::1/32')).toMatchObject({ text: '2001:db8::/32', afi: 'ipv6', hadHostBits: true });
    expect(parsePrefix('255.255.255.255/0')).toMatchObject({ text: '0.0.0.0/0', hadHostBits: true });
  });
});

describe('an IPv4 prefix as a number', () => {
  it.each([
    ['0.0.0.0/0', 0],
    ['192.0.2.0/24', 0xc0000200 * 64 + 24],
    ['255.255.255.255/32', 0xffffffff * 64 + 32],
    ['192.0.2.1/24', -1], // it has bits beyond its length
    ['192.0.2.0/33', -1],
    ['192.0.2.0', -1],
    ['192.0.2.0/24 ', -1],
    ['2001:db8::/32', -1],
  ])('%s: %i', (text, number) => {
    expect(ipv4PrefixNumber(text)).toBe(number);
  });

  it('is that of every canonical text, and of no other', () => {
    const part = fc.constantFrom('0', '7', '10', '010', '128', '255', '256', '', '::1', '-1');
    const text = fc
      .tuple(part, part, part, part, fc.oneof(fc.nat(40), fc.constantFrom('', '08', '24x')))
      .map(([a, b, c, d, length]) => `${a}.${b}.${c}.${d}/${length}`);
    fc.assert(
      fc.property(text, (one) => {
        const prefix = parsePrefix(one);
        const isCanonical = prefix?.afi === 'ipv4' && prefix.text === one;
        expect(ipv4PrefixNumber(one)).toBe(isCanonical ? prefix.words[0] * 64 + prefix.length : -1);
      }),
      runs(300),
    );
  });
});

describe('what is not a prefix', () => {
  it.each([
    ['no length', '192.0.2.0'],
    ['empty length', '192.0.2.0/'],
    ['empty text', ''],
    ['no address', '/24'],
    ['a length over 32', '192.0.2.0/33'],
    ['a length over 128', '2001:db8::/129'],
    ['a length of four digits', '2001:db8::/0128'],
    ['a length with a leading zero', '192.0.2.0/024'],
    ['a signed length', '192.0.2.0/+24'],
    ['a negative length', '192.0.2.0/-1'],
    ['a fraction', '192.0.2.0/24.0'],
    ['a mask', '192.0.2.0/255.255.255.0'],
    ['two lengths', '192.0.2.0/24/24'],
    ['a blank before', ' 192.0.2.0/24'],
    ['a blank after', '192.0.2.0/24 '],
    ['a line feed after', '192.0.2.0/24\n'],
    ['octal', '010.0.0.0/8'],
    ['octal zero', '10.00.0.0/8'],
    ['hexadecimal', '0x0a.0.0.0/8'],
    ['a short form', '10/8'],
    ['a short form of three parts', '10.0.0/8'],
    ['five parts', '10.0.0.0.0/8'],
    ['a part over 255', '256.0.0.0/8'],
    ['an empty part', '10..0.0/8'],
    ['a dot at the end', '10.0.0.0./8'],
    ['other digits', '１０.0.0.0/8'],
    ['a zone', 'fe80::1%eth0/64'],
    ['a zone after the length', 'fe80::/10%eth0'],
    ['brackets', '[2001:db8::]/32'],
    ['two gaps', '2001::db8::/32'],
    ['three colons', '2001:::/32'],
    ['one colon', ':/0'],
    ['a colon at the start', ':1:2:3:4:5:6:7/64'],
    ['a colon at the end', '1:2:3:4:5:6:7:/64'],
    ['seven groups', '1:2:3:4:5:6:7/64'],
    ['nine groups', '1:2:3:4:5:6:7:8:9/64'],
    ['a gap that stands for nothing', '1:2:3:4::5:6:7:8/64'],
    ['a group of five digits', '2001:0db80::/32'],
    ['a letter beyond f', '2001:dbg::/32'],
    ['a dotted part in front', '192.0.2.1::/96'],
    ['a dotted part in the middle', '::192.0.2.1:1/96'],
    ['a dotted part with a leading zero', '::ffff:192.0.02.1/96'],
    ['a dotted part too many', '1:2:3:4:5:6:7:192.0.2.1/128'],
    ['too long', `${'0'.repeat(50)}::/0`],
  ])('%s: "%s"', (_, input) => expect(parsePrefix(input)).toBeUndefined());
});

// --- an independent implementation over BigInt ----------------------------------------------------------------------

interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

const address: fc.Arbitrary<Address> = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => ({ bits: 32 as const, value })),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => ({ bits: 128 as const, value })),
  // many zero groups, so that the shortening has something to choose from
  fc
    .array(fc.oneof(fc.constant(0n), fc.constant(0n), fc.bigInt({ min: 0n, max: 0xffffn })), {
      minLength: 8,
      maxLength: 8,
    })
    .map((groups) => ({ bits: 128 as const, value: groups.reduce((sum, group) => (sum << 16n) | group, 0n) })),
  fc
    .bigInt({ min: 0n, max: (1n << 32n) - 1n })
    .map((value) => ({ bits: 128 as const, value: (0xffffn << 32n) | value })),
);

const prefix = address.chain((from) => fc.integer({ min: 0, max: from.bits }).map((length) => ({ ...from, length })));

function masked(value: bigint, bits: number, length: number): bigint {
  const host = BigInt(bits - length);
  return (value >> host) << host;
}

const dotted = (value: bigint) => [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
const groups = (value: bigint) => [...Array(8).keys()].map((i) => (value >> BigInt(112 - 16 * i)) & 0xffffn);

/** RFC 5952 by way of the WHATWG URL serializer, which differs only in never writing the dotted form. */
function canonicalAddress({ bits, value }: Address): string {
  if (bits === 32) return dotted(value);
  if (value >> 32n === 0xffffn) return `::ffff:${dotted(value & 0xffffffffn)}`;
  const full = groups(value)
    .map((group) => group.toString(16))
    .join(':');
  return new URL(`http://[${full}]/`).hostname.slice(1, -1);
}

/** Some spelling of the address: leading zeros, capitals, any one run of zeros left out, a dotted tail. */
const spelling = (from: Address): fc.Arbitrary<string> => {
  if (from.bits === 32) return fc.constant(dotted(from.value));
  return fc
    .record({
      width: fc.integer({ min: 1, max: 4 }),
      upper: fc.boolean(),
      tail: fc.boolean(),
      gap: fc.nat(7),
      run: fc.nat(7),
    })
    .map(({ width, upper, tail, gap, run }) => {
      const all = groups(from.value);
      const written = all.slice(0, tail ? 6 : 8).map((group) => group.toString(16).padStart(width, '0'));
      if (tail) written.push(dotted(from.value & 0xffffffffn));
      let end = gap;
      while (end < written.length && end <= gap + run && all[end] === 0n && !written[end].includes('.')) end++;
      const shortened =
        end === gap ? written.join(':') : `${written.slice(0, gap).join(':')}::${written.slice(end).join(':')}`;
      return upper ? shortened.toUpperCase() : shortened;
    });
};

const spelled = prefix.chain((from) => spelling(from).map((of) => ({ ...from, spelling: `${of}/${from.length}` })));

describe('against BigInt arithmetic', () => {
  it('gives any spelling of a prefix its one canonical text', () => {
    fc.assert(
      fc.property(spelled, ({ spelling, bits, value, length }) => {
        const network = masked(value, bits, length);
        expect(parsePrefix(spelling)).toMatchObject({
          text: `${canonicalAddress({ bits, value: network })}/${length}`,
          afi: bits === 32 ? 'ipv4' : 'ipv6',
          length,
          hadHostBits: network !== value,
        });
      }),
      runs(2000),
    );
  });

  it('tells two prefixes apart exactly when family, length or network differ', () => {
    fc.assert(
      fc.property(spelled, spelled, fc.boolean(), (a, b, near) => {
        const other = near ? { ...b, bits: a.bits, value: a.value } : b;
        const otherText = near ? `${canonicalAddress(other)}/${Math.min(b.length, a.bits)}` : b.spelling;
        const otherLength = near ? Math.min(b.length, a.bits) : b.length;
        const same =
          a.bits === other.bits &&
          a.length === otherLength &&
          masked(a.value, a.bits, a.length) === masked(other.value, other.bits, otherLength);
        expect(text(a.spelling) === text(otherText)).toBe(same);
      }),
      runs(1000),
    );
  });

  it('finds containment as comparing the leading bits does', () => {
    const pair = prefix.chain((a) =>
      fc
        .record({
          flip: fc.integer({ min: 0, max: a.bits - 1 }),
          doFlip: fc.boolean(),
          length: fc.integer({ min: 0, max: a.bits }),
        })
        .map(({ flip, doFlip, length }) => ({
          a,
          b: { ...a, length, value: doFlip ? a.value ^ (1n << BigInt(flip)) : a.value },
        })),
    );
    fc.assert(
      fc.property(fc.oneof(pair, fc.record({ a: prefix, b: prefix })), ({ a, b }) => {
        const outer = parsePrefix(`${canonicalAddress(a)}/${a.length}`);
        const inner = parsePrefix(`${canonicalAddress(b)}/${b.length}`);
        const contains =
          a.bits === b.bits &&
          a.length <= b.length &&
          a.value >> BigInt(a.bits - a.length) === b.value >> BigInt(a.bits - a.length);
        expect(outer && inner && containsPrefix(outer, inner)).toBe(contains);
      }),
      runs(2000),
    );
  });

  it('masks words as shifting the whole number does', () => {
    fc.assert(
      fc.property(prefix, ({ bits, value, length }) => {
        const words = parseAddress(canonicalAddress({ bits, value }));
        expect(words && formatAddress(maskWords(words, length))).toBe(
          canonicalAddress({ bits, value: masked(value, bits, length) }),
        );
      }),
    );
  });
});

describe('strictness', () => {
  it('accepts of mangled addresses exactly what Node accepts, but for zones', () => {
    const mangled = fc
      .record({
        from: address.chain(spelling),
        at: fc.nat(60),
        drop: fc.integer({ min: 0, max: 3 }),
        insert: fc.oneof(
          fc.constantFrom('', ':', '::', '.', '0', 'f', 'g', '%', ' ', '/'),
          fc.string({ maxLength: 3 }),
        ),
      })
      .map(({ from, at, drop, insert }) => from.slice(0, at) + insert + from.slice(at + drop));
    fc.assert(
      fc.property(mangled, (input) => {
        expect(parseAddress(input) !== undefined).toBe(isIP(input) !== 0 && !input.includes('%'));
      }),
      runs(5000),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (input) => {
        const parsed = parsePrefix(input);
        if (parsed !== undefined) expect(parsePrefix(parsed.text)).toEqual({ ...parsed, hadHostBits: false });
        parseAddress(input);
      }),
      runs(500),
    );
  });
});
