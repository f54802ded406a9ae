/** Whoever else keeps the table complete, without a history that the exporter asks. */
import type { RoutingTable } from '../table/routing-table.ts';

export interface OutsideTrust {
  /** Whether the table has all that the prefix has had, up to now. */
  readonly isTrusted: (session: number, prefix: string) => boolean;
}

/** The monitored prefixes by their first session, canonical. */
export function prefixesBySession(table: RoutingTable): ReadonlyMap<number, readonly string[]> {
  const sessions = new Map<number, string[]>();
  for (const { firstSession, state } of table.prefixes.monitored()) {
    const own = sessions.get(firstSession);
    if (own === undefined) sessions.set(firstSession, [state.prefix.text]);
    else own.push(state.prefix.text);
  }
  return sessions;
}
