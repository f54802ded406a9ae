/** What is wrong with an AS path by itself, whatever the rest of the world says. */
import type { AsPath, PathElement } from './as-path.ts';

/** Closed list: it becomes a label. The place in it is a bit of `anomaliesOf`. */
export const PATH_ANOMALIES = [
  'loop', // an AS again after another one (RFC 4271 section 9.1.2); repeats in a row are prepending
  'as_zero', // RFC 7607
  'as_trans', // AS 23456 (RFC 6793 section 9): AS4_PATH was lost on the way
  'private_as', // RFC 6996
  'documentation_as', // RFC 5398
  'reserved_as', // the last of 16 and of 32 bits (RFC 7300), and what IANA keeps back
  'as_set', // RFC 9774
  'confederation', // RFC 5065: must not leave its confederation
  'valley', // a transit-free AS, others, and a transit-free AS again (RFC 7908 types 1 to 4)
] as const;
export type PathAnomaly = (typeof PATH_ANOMALIES)[number];

/** What a configuration says of paths. */
export interface PathRules {
  /** ASes that buy transit from nobody: between two of them no other AS gives transit. Empty: no valleys are looked for. */
  readonly transitFree: ReadonlySet<number>;
  /** ASes that are known and harmless: whatever their number is, and however often and between whom they stand. */
  readonly allowed: ReadonlySet<number>;
}

/** Networks usually taken to be transit-free. */
export const TRANSIT_FREE: readonly number[] = [
  174, 701, 1299, 2914, 3257, 3320, 3356, 3491, 5511, 6453, 6461, 6762, 6830, 7018, 12956,
];

const BIT = Object.fromEntries(PATH_ANOMALIES.map((name, i) => [name, 1 << i])) as Readonly<
  Record<PathAnomaly, number>
>;

/** The registry that an AS number stands in, when it must not be seen in a public path; as a bit, or 0. */
function kindOf(asn: number): number {
  if (asn === 0) return BIT.as_zero;
  if (asn < 23_456) return 0;
  if (asn === 23_456) return BIT.as_trans;
  if (asn < 64_496) return 0;
  if (asn <= 64_511) return BIT.documentation_as;
  if (asn <= 65_534) return BIT.private_as;
  if (asn === 65_535) return BIT.reserved_as;
  if (asn <= 65_551) return BIT.documentation_as;
  if (asn <= 131_071) return BIT.reserved_as;
  if (asn < 4_200_000_000) return 0;
  return asn === 4_294_967_295 ? BIT.reserved_as : BIT.private_as;
}

/** The anomalies of a path, each the bit `1 << PATH_ANOMALIES.indexOf(name)`; 0: none. */
export function anomaliesOf(path: AsPath, { transitFree, allowed }: PathRules): number {
  let found = 0;
  const passed = new Set<number>();
  let previous: PathElement | undefined;
  for (const element of path) {
    if (typeof element !== 'number') {
      found |= element.kind === 'set' ? BIT.as_set : BIT.confederation;
      for (const member of element.members) if (!allowed.has(member)) found |= kindOf(member);
    } else if (element !== previous) {
      const isAllowed = allowed.has(element);
      if (passed.has(element) && !isAllowed) found |= BIT.loop;
      passed.add(element);
      if (!isAllowed) found |= kindOf(element);
    }
    previous = element;
  }
  return transitFree.size > 0 && hasValley(path, transitFree, allowed) ? found | BIT.valley : found;
}

/**
 * Whether ASes that are not transit-free stand between two that are. An allowed AS between them does not count, nor does a
 * set or a confederation, because the order of its members is not known.
 */
function hasValley(path: AsPath, transitFree: ReadonlySet<number>, allowed: ReadonlySet<number>): boolean {
  let top: number | undefined;
  let hasOther = false;
  for (const element of path) {
    if (typeof element !== 'number') {
      top = undefined;
      hasOther = false;
    } else if (transitFree.has(element)) {
      if (top !== undefined && hasOther) return true;
      top = element;
      hasOther = false;
    } else if (!allowed.has(element)) {
      hasOther = true;
    }
  }
  return false;
}

/** The names of anomalies that are given as bits. */
export function anomalyNames(bits: number): PathAnomaly[] {
  return PATH_ANOMALIES.filter((_, i) => (bits & (1 << i)) !== 0);
}
