import { afterEach, describe, expect, it } from 'vitest';
import type { Simulator, SimulatorOptions } from '../../../../src/simulator/contract.ts';
import { EMPTY_SCENARIO } from '../../../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../../../src/simulator/simulator.ts';
import { associate } from '../stream-client.ts';

let simulator: Simulator;

async function start(options: Partial<SimulatorOptions> = {}): Promise<void> {
  simulator = await startSimulator({ apiKeys: ['one'], scenario: EMPTY_SCENARIO, ...options });
}

afterEach(() => simulator.stop());

const prefixes = (count: number) => Array.from({ length: count }, (_, i) => `10.${i}.0.0/16`);

describe('update_live_prefixes', () => {
  it('answers 200 and replaces the list of the key', async () => {
    await start();
    expect(await associate(simulator, 'one', '192.0.2.0/24,2001:DB8:0::/48')).toEqual({ status: 200, text: 'OK' });
    expect(simulator.associatedPrefixes('one')).toEqual(['192.0.2.0/24', '2001:db8::/48']);
    await associate(simulator, 'one', ' 198.51.100.0/24 , 198.51.100.0/24');
    expect(simulator.associatedPrefixes('one')).toEqual(['198.51.100.0/24']);
  });

  it('an empty list clears it', async () => {
    await start();
    await associate(simulator, 'one', '192.0.2.0/24');
    expect(await associate(simulator, 'one', '')).toEqual({ status: 200, text: 'OK' });
    expect(simulator.associatedPrefixes('one')).toEqual([]);
  });

  it('ten prefixes are accepted, eleven refused, and the old list stays', async () => {
    await start();
    expect((await associate(simulator, 'one', prefixes(10).join())).status).toBe(200);
    expect(await associate(simulator, 'one', prefixes(11).join())).toEqual({
      status: 400,
      text: 'An API key may be associated with up to 10 prefixes, got 11',
    });
    expect(simulator.associatedPrefixes('one')).toHaveLength(10);
  });

  it('maxPrefixes raises the bound; a thousand fit into one request', async () => {
    await start({ maxPrefixes: 1000 });
    const many = Array.from({ length: 1000 }, (_, i) => `2001:db8:${i.toString(16)}:8000::/49`);
    expect((await associate(simulator, 'one', many.join())).status).toBe(200);
    expect(simulator.associatedPrefixes('one')).toHaveLength(1000);
  });

  it.each(['192.0.2.0', '192.0.2.0/33', '192.0.2.1/24', 'all', '192.0.2.0/24,', '192.0.2.0/24;10.0.0.0/8'])(
    '"%s" is refused as malformed',
    async (text) => {
      await start();
      const answer = await associate(simulator, 'one', text);
      expect(answer.status).toBe(400);
      expect(answer.text).toMatch(/^Malformed prefix: /);
    },
  );

  it('an unknown key is refused with 403, a missing list and another method with a reason', async () => {
    await start();
    expect(await associate(simulator, 'two', '192.0.2.0/24')).toEqual({ status: 403, text: 'Invalid API key' });
    const url = `${simulator.url}/update_live_prefixes?api_key=one`;
    expect((await fetch(url)).status).toBe(400);
    expect((await fetch(`${url}&new_pfxs=10.0.0.0/8`, { method: 'POST' })).status).toBe(405);
  });
});

describe('prefixes that nobody knows', () => {
  it('are announced by an edge network, the same one for the same seed', async () => {
    const originsOf = async (seed: number) => {
      await start({ scenario: { ...EMPTY_SCENARIO, generate_unknown_prefixes: true }, vps: 60, seed });
      await associate(simulator, 'one', '8.8.8.0/24,2001:4860::/32');
      const origins = [...simulator.routes()].map(({ prefix, asPath }) => `${prefix} ${asPath.split(' ').at(-1)}`);
      await simulator.stop();
      return [...new Set(origins)].sort();
    };
    const origins = await originsOf(5);
    expect(origins.map((text) => text.split(' ')[0])).toEqual(['2001:4860::/32', '8.8.8.0/24']);
    expect(await originsOf(5)).toEqual(origins);
    expect(await originsOf(6)).not.toEqual(origins);
  });

  it('the bound on them is counted', async () => {
    await start({
      scenario: { ...EMPTY_SCENARIO, generate_unknown_prefixes: true },
      vps: 10,
      maxGeneratedPrefixes: 4,
    });
    await associate(simulator, 'one', prefixes(6).join());
    expect(new Set([...simulator.routes()].map(({ prefix }) => prefix)).size).toBe(4);
    expect(simulator.stats.refusedPrefixes).toBe(2);
  });
});
