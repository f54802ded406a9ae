/** What the simulator says as RIPEstat. */
import { afterEach, expect, it } from 'vitest';
import { ManualClock } from '../../../../src/simulator/clock.ts';
import type { Simulator } from '../../../../src/simulator/contract.ts';
import { EMPTY_SCENARIO } from '../../../../src/simulator/scenario/scenario.ts';
import { isRisPeer } from '../../../../src/simulator/services/ris/ris-message.ts';
import { startSimulator } from '../../../../src/simulator/simulator.ts';

let simulator: Simulator;
afterEach(() => simulator.stop());

interface Peer {
  readonly ip: string;
  readonly v4_prefix_count: number;
  readonly is_full_feed_v4: boolean;
}

it('a peer that announces prefixes of a family for the first time is listed with them', async () => {
  simulator = await startSimulator({
    ...{ apiKeys: ['one'], seed: 1, vps: 40, scenario: { ...EMPTY_SCENARIO, vps: 40 } },
    clock: new ManualClock(Date.UTC(2026, 0, 1)),
  });
  const peer = simulator
    .vantagePoints()
    .find((vp) => isRisPeer(vp) && vp.ribSizeV4 === 0 && simulator.statusOf(vp.key) === 'up');
  if (peer === undefined) throw new Error('expected a peer of RIS that has IPv6 only');
  const listed = async () => {
    const answer = await fetch(`${simulator.url}/data/rrc-info/data.json`);
    const { data } = (await answer.json()) as { data: { rrcs: { peers: Peer[] }[] } };
    const found = data.rrcs.flatMap(({ peers }) => peers).find(({ ip }) => ip === peer.ip);
    return [found?.v4_prefix_count, found?.is_full_feed_v4];
  };
  expect(await listed()).toEqual([0, false]);
  simulator.announce(peer.key, '192.0.2.0/24', { asPath: `${peer.asn} 64500` });
  expect(await listed()).toEqual([1, false]);
});
