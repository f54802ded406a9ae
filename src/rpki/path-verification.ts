/**
 * AS path verification by ASPA (draft-ietf-sidrops-aspa-verification-28 section 5).
 *
 * A vantage point gives its table to a collector as a provider gives it to a customer, so routes of its peers and providers
 * may be in it: at a collector the downstream procedure applies. The first AS of a path is not compared with the neighbour,
 * because route servers do not add theirs.
 */
import type { AsPath } from '../bgp/as-path.ts';
import type { AspaSet, Authorization } from './aspa-set.ts';

/** Closed list: it becomes a label. */
export const ASPA_VERDICTS = ['valid', 'unknown', 'invalid', 'unverifiable'] as const;
export type AspaVerdict = (typeof ASPA_VERDICTS)[number];

/** Lengths of the ramps (section 5.3), over the path without repeats. */
export interface Ramps {
  readonly maxUp: number;
  readonly minUp: number;
  readonly maxDown: number;
  readonly minDown: number;
}

/** The ASes of a path, the origin first and repeats in a row once; undefined where it holds a set or a confederation. */
export function hopsOf(path: AsPath): number[] | undefined {
  const hops: number[] = [];
  for (let i = path.length - 1; i >= 0; i--) {
    const element = path[i];
    if (typeof element !== 'number') return undefined;
    if (element !== hops.at(-1)) hops.push(element);
  }
  return hops;
}

/** @param hops origin first, repeats in a row once */
export function rampsOf(hops: readonly number[], aspas: AspaSet): Ramps {
  const last = hops.length - 1;
  const up = (stop: (one: Authorization) => boolean) => {
    let i = 0;
    while (i < last && !stop(aspas.authorized(hops[i], hops[i + 1]))) i++;
    return i + 1;
  };
  const down = (stop: (one: Authorization) => boolean) => {
    let i = last;
    while (i > 0 && !stop(aspas.authorized(hops[i], hops[i - 1]))) i--;
    return last - i + 1;
  };
  const isDenied = (one: Authorization) => one === 'not_provider';
  const isNotSaid = (one: Authorization) => one !== 'provider';
  return { maxUp: up(isDenied), minUp: up(isNotSaid), maxDown: down(isDenied), minDown: down(isNotSaid) };
}

/**
 * The verdict on a path by the downstream procedure (section 5.5). An empty path is invalid, and so is one with an AS_SET;
 * a confederation segment, which the draft does not mention and which never belongs in a public path, is `unverifiable`.
 */
export function verifyDownstream(path: AsPath, aspas: AspaSet): AspaVerdict {
  const hops = hopsOf(path);
  if (hops === undefined) {
    const hasConfederation = path.some((element) => typeof element !== 'number' && element.kind !== 'set');
    return hasConfederation ? 'unverifiable' : 'invalid';
  }
  if (hops.length === 0) return 'invalid';
  if (hops.length <= 2) return 'valid';
  const { maxUp, minUp, maxDown, minDown } = rampsOf(hops, aspas);
  if (maxUp + maxDown < hops.length) return 'invalid';
  return minUp + minDown < hops.length ? 'unknown' : 'valid';
}
