/** The options of a table, and their defaults. */
import { DEFAULTS } from '../defaults.ts';
import { BOUNDS } from './bounds.ts';

export interface TableOptions {
  /** VPs at once. Default: see bounds.ts. */
  readonly maxVps?: number;
  /** More-specifics with state at once, a monitored prefix. Default: see bounds.ts. */
  readonly maxMoreSpecifics?: number;
  /** How long a VP that lost its route stays in the denominator, and how long a silent VP counts as known. Default 24 h. */
  readonly expectedWindowMs?: number;
  /** A route older than this goes as `expired`. Default 0: never. */
  readonly routeTtlMs?: number;
  /** What the denominator is: VPs that held a route within the window, or all VPs with a full feed. Default `seen`. */
  readonly expectedVps?: 'seen' | 'full_feed';
}

export function tableOptions(options: TableOptions): Required<TableOptions> {
  return {
    maxVps: options.maxVps ?? BOUNDS.vps.standard,
    maxMoreSpecifics: options.maxMoreSpecifics ?? BOUNDS.moreSpecifics.standard,
    expectedWindowMs: options.expectedWindowMs ?? DEFAULTS.table.expectedWindowMs,
    routeTtlMs: options.routeTtlMs ?? DEFAULTS.table.routeTtlMs,
    expectedVps: options.expectedVps ?? DEFAULTS.table.expectedVps,
  };
}
