/** The Data API client as the seeder wants it: live sources only; the very prefixes, then their more-specifics. */
import type { DataApiClient } from '../bgproutes/data-api.ts';
import { LIVE_SOURCES, type PrefixMatch, type RowBatch } from '../bgproutes/data-api-types.ts';
import { DataApiError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ApiBatch, ApiRoute, ApiUpdate, ApiVantagePoint, SeedApi } from './seed-api.ts';

export class DataApiSeed implements SeedApi {
  readonly #client: DataApiClient;
  readonly #logger: Logger;
  /** Whether more-specifics can be asked of many VPs at once is not documented: a refusal is believed until a restart. */
  #moreSpecificsRefused = false;

  constructor(client: DataApiClient, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
  }

  async vantagePoints(signal: AbortSignal): Promise<readonly ApiVantagePoint[]> {
    const { vantagePoints } = await this.#client.vantagePoints({ sources: LIVE_SOURCES, signal });
    // Asked for, and checked all the same: a VP of a history-only source would count as visible for ever.
    return vantagePoints.filter(({ source }) => (LIVE_SOURCES as readonly string[]).includes(source));
  }

  rib(
    vps: readonly ApiVantagePoint[],
    prefixes: readonly string[],
    atMs: number,
    signal: AbortSignal,
  ): AsyncIterable<ApiBatch<ApiRoute>> {
    return this.#both((match) => this.#client.rib({ vps, prefixes, dateMs: atMs, match, communities: false, signal }));
  }

  updates(
    vps: readonly ApiVantagePoint[],
    prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
  ): AsyncIterable<ApiBatch<ApiUpdate>> {
    const time = { startMs: fromMs, endMs: toMs };
    return this.#both((match) => this.#client.updates({ vps, prefixes, ...time, match, communities: false, signal }));
  }

  async *#both<Row>(ask: (match: PrefixMatch) => AsyncIterable<RowBatch<Row>>): AsyncGenerator<ApiBatch<Row>> {
    yield* ask('exact');
    if (this.#moreSpecificsRefused) return;
    try {
      yield* ask('more_specific');
    } catch (error) {
      if (!(error instanceof DataApiError) || error.code !== 'BAD_REQUEST') throw error;
      this.#moreSpecificsRefused = true;
      this.#logger.warn('the Data API does not tell more-specifics; they are learnt from the stream alone', {
        error: error.message,
      });
    }
  }
}
