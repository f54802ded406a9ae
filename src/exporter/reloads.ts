/** Reads the configuration again on demand, one reload at a time. */
import type { Config } from '../config/config.ts';
import { refusedByReload } from '../config/reload/settings.ts';
import { ConfigError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ExporterFigures } from '../metrics/figures/exporter-figures.ts';

export interface ReloadsOptions {
  readonly config: Config;
  /** Reads the configuration; throws ConfigError when it is wrong. Undefined: a reload does nothing. */
  readonly read: (() => Config) | undefined;
  /** Makes the exporter follow a configuration in which no setting changed that needs a restart; rejects when it is refused. */
  readonly apply: (next: Config, former: Config) => Promise<void>;
  readonly figures: ExporterFigures;
  /** Unix ms, by the clock of the table. */
  readonly now: () => number;
  readonly logger: Logger;
}

export class Reloads {
  readonly #options: ReloadsOptions;
  #config: Config;
  #reloading: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: ReloadsOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /**
   * One reload runs and one waits. The waiting one reads the file after everybody who asked meanwhile, so it serves them all.
   * @throws ConfigError when the new configuration is wrong; the current one then stays in force
   */
  request(): Promise<void> {
    this.#next ??= this.#reloading
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        this.#reloading = this.#reload();
        return this.#reloading;
      });
    return this.#next;
  }

  async #reload(): Promise<void> {
    const { read, apply, figures, now, logger } = this.#options;
    try {
      const next = read?.();
      if (next === undefined) return;
      // Nothing of a reload is applied when something of it cannot be.
      const refused = refusedByReload(this.#config, next);
      if (refused.length > 0)
        throw new ConfigError(
          refused.map(({ name, startOnly }) => `${name}: a change takes effect only at a restart: ${startOnly}`),
        );
      await apply(next, this.#config);
      this.#config = next;
      figures.reloadSuccessful = true;
      figures.reloadedAtMs = now();
      logger.info('configuration reloaded', { prefixes: next.prefixes.length });
    } catch (error) {
      figures.reloadSuccessful = false;
      const text = error instanceof Error ? error.message : String(error);
      logger.error('the configuration was not reloaded, the current one stays in force', { error: text });
      throw error;
    }
  }
}
