/** A process that stands in for the three services, with a small Internet in which nothing happens. */
import { scenario } from '../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../src/simulator/simulator.ts';
import { prefixTexts } from './messages.ts';

export interface ServicesInput {
  readonly vps: number;
  readonly prefixes: number;
}

export interface Services {
  readonly url: string;
  readonly websocketUrl: string;
  readonly apiKey: string;
  /** Prefixes and how many VPs see each. */
  readonly visible: readonly (readonly [prefix: string, vps: number])[];
}

const API_KEY = 'bench-key';

async function start({ vps, prefixes }: ServicesInput): Promise<Services> {
  const texts = prefixTexts(prefixes);
  const simulator = await startSimulator({
    apiKeys: [API_KEY],
    vps,
    scenario: scenario({
      churn_per_minute: 0,
      prefixes: texts.map((prefix) => ({ prefix, origin: 64_500, upstreams: [1103, 3356] })),
    }),
  });
  const { url, websocketUrl } = simulator;
  return { url, websocketUrl, apiKey: API_KEY, visible: texts.map((text) => [text, simulator.visibleVps(text)]) };
}

process.once('message', (input: ServicesInput) => {
  void start(input).then((services) => process.send?.(services));
});
process.once('disconnect', () => process.exit(0));
