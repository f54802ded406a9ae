/**
 * One source of validated RPKI data. Without an import: programs that use the library compile this type, and should not have
 * to compile those of the readers or of a schema library with it. Times are ms.
 */
export type RpkiSourceConfig =
  /** JSON over HTTP. The URL may hold what nobody else should read. */
  | { readonly kind: 'url'; readonly url: string; readonly intervalMs: number }
  /** A JSON file. */
  | { readonly kind: 'file'; readonly path: string; readonly intervalMs: number }
  /** The RPKI-to-Router protocol; the cache says when it is to be asked. */
  | { readonly kind: 'rtr'; readonly host: string; readonly port: number; readonly tls: boolean };
