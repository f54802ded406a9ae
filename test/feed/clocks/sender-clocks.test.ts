/** Which VPs have a slow clock, and which stream is late as a whole. */
import { expect, it } from 'vitest';
import { SenderClocks } from '../../../src/feed/clocks/sender-clocks.ts';
import { VpRegistry } from '../../../src/table/store/vp-registry.ts';

const NOW = 1_700_000_000_000;

function world(vps = 8) {
  const registry = new VpRegistry(vps);
  for (let i = 0; i < vps; i++) registry.add({ protocol: 'bgp', asn: 64_500 + i, ip: `192.0.2.${i}` });
  const clocks = new SenderClocks(registry);
  const judge = (vp: number, delaySeconds: number, afterSeconds = 0) =>
    clocks.judge(vp, delaySeconds * 1000, NOW + afterSeconds * 1000, 0) / 1000;
  return { registry, clocks, judge, behind: () => Array.from(registry.clockOffsetUs, (us) => us / 1_000_000) };
}

it('a VP that is far behind the others has a slow clock, and its messages are as late as theirs', () => {
  const { judge, behind, registry } = world(4);
  expect([0, 1, 2].map((vp) => judge(vp, 2 + vp))).toEqual([2, 3, 4]);
  expect(judge(3, 3_600)).toBe(2);
  expect(behind()).toEqual([0, 0, 0, 3_598]);
  expect(registry.slowClocks).toBe(1);
});

it('two slow clocks are no late stream, also where nobody else was heard', () => {
  const { judge, behind } = world(2);
  judge(0, 3_600);
  judge(1, 600);
  expect(behind()).toEqual([3_600, 600]);
});

it('a stream that is late as a whole keeps its stamps, once three vantage points say so', () => {
  const { clocks, judge, behind, registry } = world(6);
  for (let vp = 0; vp < 5; vp++) judge(vp, 600 + vp);
  expect(clocks.medianMs).toBe(600_000);
  for (let vp = 0; vp < 5; vp++) expect(judge(vp, 600 + vp, 1)).toBe(600 + vp);
  expect([behind(), registry.slowClocks]).toEqual([[0, 0, 0, 0, 0, 0], 0]);
  expect(judge(5, 4_200, 2)).toBe(601);
});

it('the first message of a VP that was on time shows as late, the next that agrees as a clock', () => {
  const { judge, registry, behind } = world(1);
  registry.lastHeardMs[0] = NOW - 1;
  expect([judge(0, 600), behind()[0]]).toEqual([600, 600]);
  expect([judge(0, 604), behind()[0]]).toEqual([4, 600]);
});

it('a clock that was set right is right again with the next message', () => {
  const { judge, behind, registry } = world(1);
  judge(0, 600);
  expect(judge(0, 1, 1)).toBe(1);
  expect([behind(), registry.slowClocks]).toEqual([[0], 0]);
});

it('what is later than a slow clock explains is lateness, unless two messages in a row agree: then the clock was set back', () => {
  const { judge, behind } = world(1);
  judge(0, 605);
  expect([judge(0, 600), judge(0, 608), behind()[0]]).toEqual([0, 8, 600]);
  expect([judge(0, 3_600), judge(0, 1_800), judge(0, 600), behind()[0]]).toEqual([3_000, 1_200, 0, 600]);
  expect([judge(0, 3_600), judge(0, 3_605), behind()[0]]).toEqual([3_000, 0, 3_605]);
});

it('a fast clock does not count: its stamps are bounded by their receipt', () => {
  const { judge, behind } = world(1);
  expect(judge(0, -3_600)).toBe(-3_600);
  expect(behind()).toEqual([0]);
});

it('old samples do not tell the delay of now', () => {
  const { clocks, judge } = world(8);
  for (let vp = 0; vp < 5; vp++) judge(vp, 300);
  for (let vp = 5; vp < 8; vp++) judge(vp, 1, 700);
  judge(7, 1, 702);
  expect(clocks.medianMs).toBe(1_000);
});

it('a VP that is forgotten takes its clock with it', () => {
  const { judge, registry } = world(1);
  judge(0, 600);
  registry.remove(0);
  expect(registry.slowClocks).toBe(0);
  const again = registry.add({ protocol: 'bgp', asn: 64_999, ip: '192.0.2.9' });
  expect(registry.clockOffsetUs[again]).toBe(0);
});
