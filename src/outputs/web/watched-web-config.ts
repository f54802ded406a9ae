/** The web configuration as its files say now: read again when one of them changes, and the last good one kept when it is wrong. */
import { statSync } from 'node:fs';
import { readTextFile } from '../../config/file/text-file.ts';
import { loadWebConfig } from '../../config/web/load-web-config.ts';
import { PLAIN_WEB, type WebConfig } from '../../config/web/web-config.ts';
import { ConfigError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';

/** How often the files are looked at, at most. */
const LOOK_INTERVAL_MS = 1_000;

export interface WatchedWebConfigOptions {
  /** Of the file; undefined: plain HTTP for everybody. */
  readonly path: string | undefined;
  readonly logger: Logger;
  /** Called after every reading but the first: whether the files are now in force as they are. */
  readonly onReading?: ((successful: boolean) => void) | undefined;
  /** Milliseconds that only go forward. Default `performance.now`. */
  readonly elapsed?: (() => number) | undefined;
}

export class WatchedWebConfig {
  #path: string | undefined;
  readonly #logger: Logger;
  readonly #onReading: (successful: boolean) => void;
  readonly #elapsed: () => number;
  readonly #listeners: ((config: WebConfig) => void)[] = [];
  /** The files that the last reading asked for, also when it failed. */
  #files: readonly string[] = [];
  #state = '';
  #lookedAtMs: number;
  #current: WebConfig;

  /** @throws ConfigError when the file is wrong */
  constructor({ path, logger, onReading, elapsed }: WatchedWebConfigOptions) {
    this.#path = path;
    this.#logger = logger;
    this.#onReading = onReading ?? (() => {});
    this.#elapsed = elapsed ?? (() => performance.now());
    this.#lookedAtMs = this.#elapsed();
    this.#current = path === undefined ? PLAIN_WEB : this.#read(path);
  }

  get current(): WebConfig {
    return this.#current;
  }

  /** Called with each configuration that replaces one. */
  onChange(listener: (config: WebConfig) => void): void {
    this.#listeners.push(listener);
  }

  /** Reads the files again when one of them has changed; cheap enough for every request and handshake. */
  look(): void {
    if (this.#path === undefined) return;
    const nowMs = this.#elapsed();
    if (nowMs - this.#lookedAtMs < LOOK_INTERVAL_MS) return;
    this.#lookedAtMs = nowMs;
    if (stateOf(this.#files) === this.#state) return;
    try {
      this.#take(this.#readNext(this.#path));
      this.#logger.info('the web configuration was read again', { file: this.#path });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#logger.error('the web configuration is wrong, the last good one stays in force', { error: error.message });
    }
  }

  /**
   * Reads what this file, which may be another one from now on, says. The result takes it over.
   * @throws ConfigError when what the files say is wrong; the last good configuration then stays in force
   */
  prepare(path: string | undefined): () => void {
    const [files, state] = [this.#files, this.#state];
    const next = this.#readNext(path);
    const [nextFiles, nextState] = path === undefined ? [[], ''] : [this.#files, this.#state];
    // Until it is taken over, the files of the one that holds are looked at.
    if (path !== this.#path) [this.#files, this.#state] = [files, state];
    return () => {
      [this.#path, this.#files, this.#state] = [path, nextFiles, nextState];
      this.#take(next);
    };
  }

  #readNext(path: string | undefined): WebConfig {
    try {
      const next = path === undefined ? PLAIN_WEB : this.#read(path);
      if ((next.tls === undefined) !== (this.#current.tls === undefined)) {
        const change = next.tls === undefined ? 'HTTPS to HTTP' : 'HTTP to HTTPS';
        const place = path === undefined ? 'web.config_file' : `${path}: tls_server_config`;
        throw new ConfigError([`${place}: a change from ${change} takes effect only at a restart`]);
      }
      return next;
    } catch (error) {
      this.#onReading(false);
      throw error;
    }
  }

  #take(next: WebConfig): void {
    this.#current = next;
    for (const listener of this.#listeners) listener(next);
    this.#onReading(true);
  }

  #read(path: string): WebConfig {
    const files: string[] = [];
    const readFile = (file: string): string => {
      files.push(file);
      return readTextFile(file);
    };
    try {
      return loadWebConfig(path, readFile);
    } finally {
      this.#files = files;
      this.#state = stateOf(files);
    }
  }
}

/** Another text when a file was written, replaced, or the link to it leads elsewhere. */
function stateOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
      return stat === undefined ? '-' : `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
    })
    .join('\n');
}
