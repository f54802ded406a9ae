import { afterEach, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { directWays } from '../../src/exporter/direct-ways.ts';
import { useWaysOut } from '../../src/http/ways-out.ts';

afterEach(() => useWaysOut({}));

it.each([
  ['sources: [kafka]\nkafka: {brokers: ["kafka.example.net:9092"]}', 'kafka.example.net:9092'],
  ['sources: [ris-live]\nrpki: {sources: [{url: "rtr://cache.example.net:8282"}]}', 'cache.example.net:8282'],
  ['sources: [ris-live]', undefined],
])('a proxy that Kafka or RTR does not use is told: %s', (yaml, place) => {
  const config = loadConfig({
    flags: { 'config.file': 'test.yml' },
    env: {},
    readFile: () => `prefixes: [{prefix: 192.0.2.0/24}]\n${yaml}\n`,
  });
  useWaysOut({ proxyUrl: 'http://proxy.example.net:3128' });
  expect(directWays(config)).toBe(
    place && `Kafka and RTR go through no proxy: ${place} is reached directly although proxy_url names one`,
  );
  useWaysOut({});
  expect(directWays(config)).toBeUndefined();
});
