/**
 * The RPKI part of the configuration, read and checked. In a file of its own, without a schema: programs that use the library
 * compile these types, and should not have to compile those of a schema library with them.
 */

import type { RpkiSourceConfig } from '../../rpki/source-config.ts';

/** Where validated RPKI data comes from. Times are ms. */
export interface RpkiConfig {
  /** At least one, in the order in which they are preferred. */
  readonly sources: readonly RpkiSourceConfig[];
  /** Data that was made longer ago is not used. */
  readonly maxAgeMs: number;
}
