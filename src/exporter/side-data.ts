/** What the table is judged and named by beside the streams: validated data of the RPKI, and the names of ASes. */
import type { Prefix } from '../bgp/prefix.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../logger.ts';
import { AsNameFile } from '../names/as-name-file.ts';
import { makeSources } from '../rpki/make-sources.ts';
import { ValidatedData } from '../rpki/validated-data.ts';
import type { SteadyClock } from '../stream/steady-clock.ts';

export interface SideDataTools {
  readonly timers: SteadyClock;
  readonly userAgent: string;
  readonly logger: Logger;
}

type SideConfig = Pick<Config, 'prefixes' | 'rpki' | 'names'>;

export class SideData {
  readonly #tools: SideDataTools;
  #config: SideConfig;
  #validated: ValidatedData | undefined;
  #names: AsNameFile | undefined;

  constructor(config: SideConfig, tools: SideDataTools) {
    this.#tools = tools;
    this.#config = config;
    this.#validated = this.#makeValidated(config);
    this.#names = this.#makeNames(config);
  }

  /** Undefined: nothing is judged by the RPKI. */
  get validated(): ValidatedData | undefined {
    return this.#validated;
  }

  /** Undefined: no file of names is configured. */
  get names(): AsNameFile | undefined {
    return this.#names;
  }

  start(): void {
    this.#validated?.start();
    this.#names?.start();
  }

  /** Follows a new configuration. What has not changed in it goes on, and only what has is read again. */
  async change(next: SideConfig): Promise<void> {
    const former = this.#config;
    this.#config = next;
    if (isSame(former.rpki, next.rpki)) this.#validated?.watch(prefixesOf(next));
    else {
      const ending = this.#validated;
      this.#validated = this.#makeValidated(next);
      this.#validated?.start();
      await ending?.stop();
    }
    if (isSame(former.names, next.names)) return;
    const ending = this.#names;
    this.#names = this.#makeNames(next);
    this.#names?.start();
    await ending?.stop();
  }

  async stop(): Promise<void> {
    await this.#validated?.stop();
    await this.#names?.stop();
  }

  #makeValidated(config: SideConfig): ValidatedData | undefined {
    const { rpki } = config;
    if (rpki === undefined) return undefined;
    const { timers, userAgent, logger: log } = this.#tools;
    const { sources: places, maxAgeMs } = rpki;
    const unixMs = () => timers.machineMs(timers.now());
    return new ValidatedData(prefixesOf(config), (scope) =>
      makeSources({ places, maxAgeMs, timers, unixMs, userAgent, log }, scope),
    );
  }

  #makeNames({ names }: SideConfig): AsNameFile | undefined {
    const { timers, logger: log } = this.#tools;
    return names && new AsNameFile({ path: names.asFile, timers, log });
  }
}

function prefixesOf({ prefixes }: SideConfig): Prefix[] {
  return prefixes.map(({ prefix }) => prefix);
}

function isSame(a: object | undefined, b: object | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
