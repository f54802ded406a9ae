/** What the configuration expects of origins and upstreams: the one place that decides whether an AS is expected. */
import { type AsOrSet, setMembers } from '../bgp/as-path.ts';
import type { PathTable } from './store/path-table.ts';

/** Whether an origin or upstream (a number of the path table) is named in the configuration: an AS, or this very AS_SET. */
export function isConfigured(as: number, configured: readonly AsOrSet[], paths: PathTable): boolean {
  return configured.includes(paths.asOrSet(as));
}

/**
 * Whether it is expected: nothing is configured, it is named there, or it is an AS_SET whose members all are. An aggregate
 * of one's own customers then is no hijack.
 */
export function isExpected(as: number, configured: readonly AsOrSet[], paths: PathTable): boolean {
  if (configured.length === 0 || isConfigured(as, configured, paths)) return true;
  const named = paths.asOrSet(as);
  return typeof named === 'string' && setMembers(named).every((member) => configured.includes(member));
}
