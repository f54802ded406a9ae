/** What does not go through a proxy although one is named: Kafka's library and RTR connect by TCP themselves. */
import type { Config } from '../config/config.ts';
import { proxyNamedBy } from '../http/ways-out.ts';
import type { Logger } from '../logger.ts';

/** One line for people, or undefined: no proxy is named for what is reached directly. */
export function directWays({ sources, kafka, rpki }: Pick<Config, 'sources' | 'kafka' | 'rpki'>): string | undefined {
  const places = [
    ...(sources.includes('kafka') ? kafka.brokers : []),
    ...(rpki?.sources ?? []).flatMap((place) => (place.kind === 'rtr' ? [`${place.host}:${place.port}`] : [])),
  ];
  for (const place of places) {
    const by = proxyNamedBy(new URL(`https://${place}`));
    if (by !== undefined)
      return `Kafka and RTR go through no proxy: ${place} is reached directly although ${by} names one`;
  }
  return undefined;
}

/** Tells the operator of the direct ways: once, and again when there are others. */
export class DirectWaysTeller {
  readonly #logger: Logger;
  #told: string | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  tell(config: Pick<Config, 'sources' | 'kafka' | 'rpki'>): void {
    const ways = directWays(config);
    if (ways !== undefined && ways !== this.#told) this.#logger.warn(ways);
    this.#told = ways;
  }
}
