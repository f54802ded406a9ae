import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAsPath } from '../../src/bgp/as-path.ts';
import { AspaSet, MAX_ASPA_CUSTOMERS, MAX_ASPA_PROVIDERS } from '../../src/rpki/aspa-set.ts';
import { type AspaVerdict, hopsOf, type Ramps, rampsOf, verifyDownstream } from '../../src/rpki/path-verification.ts';
import { runs } from '../support/property-runs.ts';
import { recordingPath } from '../support/recordings.ts';

function aspasOf(providers: Readonly<Record<string, readonly number[]>>): AspaSet {
  const set = new AspaSet();
  for (const [customer, list] of Object.entries(providers)) set.merge(Number(customer), list);
  return set;
}

const verdictOf = (text: string, aspas: AspaSet) => verifyDownstream(parseAsPath(text) ?? [], aspas);

describe('path verification downstream', () => {
  const aspas = aspasOf({ 1: [2], 2: [3, 4], 3: [0], 5: [6] });

  it.each([
    ['2 1', 'valid'],
    ['1', 'valid'],
    ['9 8', 'valid'], // two ASes are always valid
    ['3 2 1', 'valid'],
    ['3 3 2 2 1 1', 'valid'], // prepending counts once
    ['7 3 2 1', 'valid'],
    ['9 8 7 1', 'unknown'], // 7 is no provider of 1, but 7, 8 and 9 may be its customers
    ['9 8 7', 'unknown'],
    ['5 9 1', 'invalid'],
    ['3 {2,7} 1', 'invalid'],
    ['3 (2) 1', 'unverifiable'],
    ['3 [2] {4} 1', 'unverifiable'],
    ['', 'invalid'],
  ] as const)('%s is %s', (text, verdict) => {
    expect(verdictOf(text, aspas)).toBe(verdict);
  });

  it('knows nothing without ASPAs', () => {
    expect(verdictOf('3 2 1', new AspaSet())).toBe('unknown');
  });
});

const VECTORS = recordingPath('aspa-vectors.json');
if (VECTORS !== undefined) {
  interface Case {
    readonly path: readonly number[];
    readonly direction: 'upstream' | 'downstream';
    readonly state: AspaVerdict;
    readonly ramps?: Partial<Ramps>;
  }
  const { sets } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
    readonly sets: readonly {
      readonly name: string;
      readonly aspas: Readonly<Record<string, readonly number[]>>;
      readonly cases: readonly Case[];
    }[];
  };

  /** The upstream procedure (section 5.4), which needs only the up-ramps. */
  function upstream(hops: readonly number[], aspas: AspaSet): AspaVerdict {
    if (hops.length === 0) return 'invalid';
    const { maxUp, minUp } = rampsOf(hops, aspas);
    return maxUp < hops.length ? 'invalid' : minUp < hops.length ? 'unknown' : 'valid';
  }

  describe('path verification, by the vectors of other implementations', () => {
    it('there are 162 cases', () => {
      expect(sets.flatMap(({ cases }) => cases)).toHaveLength(162);
    });

    it.each(sets.map((set, i) => [`${i}: ${set.name}`, set] as const))('%s', (_, { aspas, cases }) => {
      const set = aspasOf(aspas);
      for (const { path, direction, state, ramps } of cases) {
        const hops = hopsOf(path) ?? [];
        const verdict = direction === 'downstream' ? verifyDownstream(path, set) : upstream(hops, set);
        expect([path, direction, verdict]).toEqual([path, direction, state]);
        if (ramps !== undefined) expect([path, rampsOf(hops, set)]).toEqual([path, expect.objectContaining(ramps)]);
      }
    });
  });
}

// --- against the procedure as the draft writes it, with indices from 1 -------------------------------------------------

function byTheDraft(path: readonly number[], providers: ReadonlyMap<number, readonly number[]>): AspaVerdict {
  const a = path.filter((asn, i) => asn !== path[i - 1]).reverse();
  const n = a.length;
  const as = (i: number) => a[i - 1];
  const authorized = (x: number, y: number) =>
    !providers.has(x) ? 'No Attestation' : providers.get(x)?.includes(y) ? 'Provider+' : 'Not Provider+';
  const range = [...Array(Math.max(0, n - 1)).keys()].map((i) => i + 1);
  const up = (also: string) => range.find((i) => ['Not Provider+', also].includes(authorized(as(i), as(i + 1)))) ?? n;
  const down = (also: string) => {
    const j = range
      .map((i) => i + 1)
      .reverse()
      .find((i) => ['Not Provider+', also].includes(authorized(as(i), as(i - 1))));
    return j === undefined ? n : n - j + 1;
  };
  if (n === 0) return 'invalid';
  if (up('') + down('') < n) return 'invalid';
  return up('No Attestation') + down('No Attestation') < n ? 'unknown' : 'valid';
}

describe('path verification over random sets', () => {
  it('agrees with the draft as it is written', () => {
    const asn = fc.integer({ min: 1, max: 8 });
    fc.assert(
      fc.property(
        fc.array(asn, { maxLength: 9 }),
        fc.dictionary(asn.map(String), fc.uniqueArray(asn, { maxLength: 4 }), { maxKeys: 8 }),
        (path, aspas) => {
          const map = new Map(Object.entries(aspas).map(([customer, list]) => [Number(customer), list]));
          expect(verifyDownstream(path, aspasOf(aspas))).toBe(byTheDraft(path, map));
        },
      ),
      runs(1_000),
    );
  });
});

describe('a set of ASPAs', () => {
  it('merges two objects of one customer, and keeps the later expiry', () => {
    const set = new AspaSet();
    set.merge(1, [5, 3], 100);
    set.merge(1, [4, 5], 200);
    expect(set.providers(1)).toEqual([3, 4, 5]);
    expect(set.expire(150)).toBe(0);
    expect(set.expire(200)).toBe(1);
    expect(set.size).toBe(0);
  });

  it('takes AS 0 for no provider', () => {
    const set = aspasOf({ 1: [0] });
    expect(set.providers(1)).toEqual([]);
    expect(set.authorized(1, 0)).toBe('not_provider');
    expect(set.authorized(2, 1)).toBe('no_attestation');
  });

  it('follows another, customer by customer, and says whether that changed anything', () => {
    const other = aspasOf({ 1: [2], 2: [3, 4], 4: [1], 5: [] });
    const set = aspasOf({ 1: [2], 2: [3], 3: [4] });
    expect([1, 2, 3, 4, 5, 6].map((customer) => set.follow(customer, other))).toEqual([
      ...[false, true, true, true, true, false],
    ]);
    expect(new Map([...set.customers].map((one) => [one, set.providers(one)]))).toEqual(
      new Map([...other.customers].map((one) => [one, other.providers(one)])),
    );
    // What the other says later is its own matter.
    other.replace(1, [3]);
    expect(set.providers(1)).toEqual([2]);
  });

  it('has bounds for customers and for the providers of one', () => {
    const set = new AspaSet();
    expect(
      set.merge(
        1,
        [...Array(MAX_ASPA_PROVIDERS + 1).keys()].map((i) => i + 1),
      ),
    ).toBe(false);
    for (let customer = 0; customer < MAX_ASPA_CUSTOMERS; customer++) set.merge(customer, [1]);
    expect(set.size).toBe(MAX_ASPA_CUSTOMERS);
    expect(set.merge(MAX_ASPA_CUSTOMERS, [1])).toBe(false);
    expect(set.merge(7, [2])).toBe(true);
    set.remove(7);
    expect(set.merge(MAX_ASPA_CUSTOMERS, [1])).toBe(true);
  });
});
