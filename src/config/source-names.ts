/** The services that stream BGP, by the names that the configuration has for them. */
export const SOURCE_NAMES = ['bgproutes', 'ris-live', 'kafka'] as const;
/** One of `SOURCE_NAMES`. */
export type SourceName = (typeof SOURCE_NAMES)[number];
