/** What the holders of the simulated prefixes have signed. */
import type { AsGraph } from '../as-graph.ts';
import type { Roa, SimulatedPrefix } from '../simulated-prefix.ts';

/**
 * By default one for each usual origin, of the prefix's own length: a prefix that only a hijack announced has no holder who could
 * have signed it.
 */
export function roasOf({ text, roas, usual }: SimulatedPrefix, graph: AsGraph): readonly Roa[] {
  return roas ?? usual.map(({ node }) => ({ asn: graph.nodes[node].asn, maxLength: lengthOf(text) }));
}

/** Of a prefix in its canonical text. */
export function lengthOf(text: string): number {
  return Number(text.slice(text.indexOf('/') + 1));
}
