/** What does not go through a proxy although one is named: Kafka's library and RTR connect by TCP themselves. */
import type { Config } from '../config/config.ts';
import { proxyNamedBy } from '../http/ways-out.ts';

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
