/** What the ASes of the simulated Internet have signed about their providers. */
import type { AsGraph } from '../as-graph.ts';
import type { SimulatedPrefix } from '../simulated-prefix.ts';

/** An AS, and all ASes that may be its provider, ascending; none: nobody is. */
export interface Aspa {
  readonly customer: number;
  readonly providers: readonly number[];
}

/** By default one of each AS, with its providers of now; a step about a prefix may say otherwise for some ASes. */
export function aspasOf(graph: AsGraph, prefixes: Iterable<SimulatedPrefix>): Aspa[] {
  const signed = new Map<number, readonly number[] | undefined>();
  for (const { asn, providers } of graph.nodes)
    signed.set(
      asn,
      [...providers].map((provider) => graph.nodes[provider].asn),
    );
  for (const { aspas } of prefixes) for (const [customer, providers] of aspas) signed.set(customer, providers);
  return [...signed].flatMap(([customer, providers]) =>
    providers === undefined ? [] : [{ customer, providers: [...providers].sort((a, b) => a - b) }],
  );
}
