/** One reading of a history into the table: how it ended is counted and logged, and a failure is a value. */
import { DataApiError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { SeedResult, TableFigures } from '../../metrics/figures/table-figures.ts';

/** Why a reading failed. */
export type ReadingFailure = Exclude<SeedResult, 'success'>;

export interface ReadingContext {
  readonly figures: TableFigures;
  readonly logger: Logger;
  readonly session: number;
  /** What people call the service that is read. */
  readonly title: string;
  /** Unix ms. */
  readonly now: () => number;
}

/** @returns why it failed; undefined: it succeeded. Never rejects. */
export async function attemptReading(
  read: () => Promise<void>,
  signal: AbortSignal,
  { figures, logger, session, title, now }: ReadingContext,
): Promise<ReadingFailure | undefined> {
  try {
    await read();
    if (signal.aborted) return 'aborted';
    figures.seeds.success++;
    figures.seedAtMs = now();
    return undefined;
  } catch (error) {
    const result = signal.aborted ? 'aborted' : failureOf(error);
    figures.seeds[result]++;
    if (result === 'aborted') return result;
    const text = error instanceof Error ? error.message : String(error);
    if (result === 'forbidden')
      logger.error(`${title} refuses the key: the table stays unseeded`, { session, error: text });
    else logger.warn(`the table could not be read from ${title}, trying again`, { session, result, error: text });
    return result;
  }
}

function failureOf(error: unknown): Exclude<ReadingFailure, 'aborted'> {
  if (!(error instanceof DataApiError)) return 'invalid'; // a fault of ours: the stream goes on, the table says that it is not seeded
  if (error.code === 'FORBIDDEN') return 'forbidden';
  if (error.code === 'BAD_REQUEST' || error.code === 'NOT_FOUND') return 'refused';
  return error.code === 'INVALID_RESPONSE' ? 'invalid' : 'unavailable';
}
