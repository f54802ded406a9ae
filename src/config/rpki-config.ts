/**
 * What the RPKI part of the configuration comes to. In a file of its own, without a schema: programs that use the library
 * compile these types, and should not have to compile those of a schema library with them.
 */

/** One source of validated RPKI data. Times are ms. */
export type RpkiSourceConfig =
  /** JSON over HTTP. The URL may hold what nobody else should read. */
  | { readonly kind: 'url'; readonly url: string; readonly intervalMs: number }
  /** A JSON file. */
  | { readonly kind: 'file'; readonly path: string; readonly intervalMs: number }
  /** The RPKI-to-Router protocol; the cache says when it is to be asked. */
  | { readonly kind: 'rtr'; readonly host: string; readonly port: number; readonly tls: boolean };

/** Where validated RPKI data comes from. Times are ms. */
export interface RpkiConfig {
  /** At least one, in the order in which they are preferred. */
  readonly sources: readonly RpkiSourceConfig[];
  /** Data that was made longer ago is not used. */
  readonly maxAgeMs: number;
}
