/** Tables for the contestants. */
import { parsePrefix } from '../src/bgp/prefix.ts';
import type { WatchedPrefix } from '../src/table/prefixes/prefix-state.ts';

/** Monitored prefixes of one session, about which the configuration says nothing more. */
export function watched(texts: readonly string[]): WatchedPrefix[] {
  return texts.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
    return { prefix, description: '', group: '', origins: [], upstreams: [], sessions: [0] };
  });
}
