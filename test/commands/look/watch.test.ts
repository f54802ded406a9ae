import { describe, expect, it } from 'vitest';
import type { LiveMessage } from '../../../src/bgp/live-message.ts';
import { messagesOf } from '../../../src/bgp/live-message.ts';
import { decodeMessage } from '../../../src/bgproutes/live/message.ts';
import { OriginWatch } from '../../../src/commands/look/watch/watch-origins.ts';
import { HeardVps } from '../../../src/commands/look/watch/watch-table.ts';
import { VisibilityWatch } from '../../../src/commands/look/watch/watch-visibility.ts';
import { watchCommand } from '../../../src/commands/look/watch.ts';
import type { Simulator } from '../../../src/simulator/contract.ts';
import { cleanups, KEY, P1, P2, simulate } from '../../bgproutes/client/client-world.ts';
import { addresses, Output, type Run, runCommand } from '../command-world.ts';

/** A frame of VP number n (ASN n, 192.0.2.n): a path announces, none withdraws. */
function message(n: number, asPath: string | undefined, prefixes = P1, more: object = {}): LiveMessage {
  const about = asPath === undefined ? { withdraws: prefixes } : { prefixes, 'as-path': asPath };
  const frame = { record_type: 'update', vp: `${n}_192.0.2.${n}`, sec: 1_700_000_000 + n, ...about, ...more };
  const result = decodeMessage(JSON.stringify(frame));
  if (!result.ok) throw new Error(result.reason);
  return messagesOf(result.update)[0];
}

describe('origins', () => {
  const facts = (watch: OriginWatch, given: LiveMessage) =>
    watch
      .apply(given)
      .map(({ prefix, from, to, origins }) => [
        prefix,
        from,
        to,
        origins.map(({ origin, vps }) => `${origin}:${vps}`).join(' '),
      ]);

  it('are compared VP by VP', () => {
    const watch = new OriginWatch();
    expect(facts(watch, message(1, '1 64500'))).toEqual([[P1, undefined, 64500, '64500:1']]);
    expect(facts(watch, message(1, '1 2 64500'))).toEqual([]); // another path, the same origin
    expect(facts(watch, message(2, '2 64500'))).toEqual([[P1, undefined, 64500, '64500:2']]);
    expect(facts(watch, message(1, '1 64666'))).toEqual([[P1, 64500, 64666, '64500:1 64666:1']]);
    expect(facts(watch, message(1, '1 64666'))).toEqual([]);
    expect(facts(watch, message(2, '2 {64501,64502}'))).toEqual([
      [P1, 64500, '{64501,64502}', '{64501,64502}:1 64666:1'],
    ]);
  });

  it('are told for each prefix of a message', () => {
    const watch = new OriginWatch();
    expect(facts(watch, message(1, '1 64500', `${P1},${P2}`))).toEqual([
      [P1, undefined, 64500, '64500:1'],
      [P2, undefined, 64500, '64500:1'],
    ]);
    expect(facts(watch, message(1, '1 64666', P2))).toEqual([[P2, 64500, 64666, '64666:1']]);
  });

  it('are remembered beyond a withdrawal, but not counted', () => {
    const watch = new OriginWatch();
    facts(watch, message(1, '1 64500'));
    facts(watch, message(2, '2 64500'));
    expect(facts(watch, message(1, undefined))).toEqual([]);
    expect(facts(watch, message(3, '3 64500'))).toEqual([[P1, undefined, 64500, '64500:2']]);
    expect(facts(watch, message(1, '1 64500'))).toEqual([]); // back, as it was
    expect(facts(watch, message(4, '4 64500'))).toEqual([[P1, undefined, 64500, '64500:4']]);
    facts(watch, message(1, undefined));
    expect(facts(watch, message(1, '1 64666'))).toEqual([[P1, 64500, 64666, '64500:3 64666:1']]);
  });

  it('of an empty path are the AS of the VP itself', () => {
    expect(facts(new OriginWatch(), message(7, ''))).toEqual([[P1, undefined, 7, '7:1']]);
  });

  it('of one address are two VPs when it is heard in two ways', () => {
    const watch = new OriginWatch();
    watch.apply(message(1, '1 64500'));
    const bmp = message(9, '1 64500', P1, { record_type: 'bmp_update', bmp_peer: '1_192.0.2.1' });
    expect(facts(watch, bmp)).toEqual([[P1, undefined, 64500, '64500:2']]);
  });
});

describe('visibility', () => {
  const facts = (watch: VisibilityWatch, given: LiveMessage) =>
    watch
      .apply(given)
      .map(({ type, prefix, known, visibleVps, heardVps }) => [type, prefix, known, `${visibleVps}/${heardVps}`]);

  it('is lost and regained VP by VP', () => {
    const watch = new VisibilityWatch();
    expect(facts(watch, message(1, '1 64500'))).toEqual([]);
    expect(facts(watch, message(2, '2 64500'))).toEqual([]);
    expect(facts(watch, message(1, undefined))).toEqual([['lost', P1, true, '1/2']]);
    expect(facts(watch, message(1, undefined))).toEqual([]);
    expect(facts(watch, message(2, '2 3 64500'))).toEqual([]);
    expect(facts(watch, message(2, undefined))).toEqual([['lost', P1, true, '0/2']]);
    expect(facts(watch, message(1, '1 64666'))).toEqual([['regained', P1, true, '1/2']]);
  });

  it('is lost too at a VP of which nothing was heard before: an outage right after the start is told', () => {
    const watch = new VisibilityWatch();
    expect(facts(watch, message(1, undefined, `${P1},${P2}`))).toEqual([
      ['lost', P1, false, '0/1'],
      ['lost', P2, false, '0/1'],
    ]);
    expect(facts(watch, message(1, '1 64500', P2))).toEqual([['regained', P2, true, '1/1']]);
    expect(facts(watch, message(2, undefined))).toEqual([['lost', P1, false, '0/2']]);
  });
});

describe('what is kept', () => {
  it('is bounded: what was met before still is', () => {
    const vps = new HeardVps<number>(2);
    expect([vps.set('p', 'a', 1), vps.set('p', 'b', 1), vps.set('p', 'c', 1), vps.set('q', 'a', 1)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([vps.set('p', 'a', 2), vps.get('p', 'a'), vps.count('p'), vps.count('q'), vps.refused]).toEqual([
      true,
      2,
      2,
      0,
      2,
    ]);
  });
});

async function watch(simulator: Simulator, args: readonly string[], stdout = new Output()): Promise<Run> {
  const run = runCommand(watchCommand, [...args, ...addresses(simulator)], { env: { BGP_API_KEY: KEY }, stdout });
  cleanups.push(() => run.stop().catch(() => {}));
  await run.noted('# connected');
  return run;
}

describe('watch', () => {
  it('origins prints a line for a hijack, with the running counts', async () => {
    const simulator = await simulate();
    const vps = [1, 2].map((n) => simulator.addVantagePoint({ protocol: 'bgp', asn: n, ip: `192.0.2.${n}` }));
    const run = await watch(simulator, ['origins', `--prefix=${P1}`]);
    for (const { key, asn } of vps) simulator.announce(key, P1, { asPath: `${asn} 64500` });
    simulator.announce(vps[1].key, P1, { asPath: '2 64666' });
    const [first, , third] = await run.printed(3);
    expect(first).toMatch(
      /^\d{4}-.*Z 192\.23\.62\.0\/24: first seen from AS64500 at AS1 192\.0\.2\.1; now AS64500 at 1 VP$/,
    );
    expect(third).toMatch(
      /: origin changed from AS64500 to AS64666 at AS2 192\.0\.2\.2; now AS64500 at 1 VP, AS64666 at 1 VP$/,
    );
    expect(await run.stop()).toBe(0);
  });

  it('visibility prints a line for a loss and a regain', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint({ protocol: 'bgp', asn: 1, ip: '192.0.2.1' });
    const stdout = new Output();
    stdout.isTTY = true;
    const run = await watch(simulator, ['visibility', `--prefix=${P1}`], stdout);
    simulator.announce(vp.key, P1, { asPath: '1 64500' });
    simulator.withdraw(vp.key, P1);
    simulator.announce(vp.key, P1, { asPath: '1 64500' });
    const [lost, regained] = await run.printed(2);
    expect(lost).toContain('\u001b[31mvisibility lost\u001b[0m at AS1 192.0.2.1; now at 0 of 1 VP heard of');
    expect(regained).toContain('\u001b[32mvisibility regained\u001b[0m at AS1 192.0.2.1; now at 1 of 1 VP heard of');
  });

  it('prints JSON for programs', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint({ protocol: 'bgp', asn: 1, ip: '192.0.2.1' });
    const run = await watch(simulator, ['visibility', `--prefix=${P1}`, '--format=json']);
    simulator.withdraw(vp.key, P1);
    const [line] = await run.printed(1);
    expect(JSON.parse(line)).toEqual({
      type: 'lost',
      timestampUs: expect.any(Number),
      prefix: P1,
      vp: { protocol: 'bgp', asn: 1, ip: '192.0.2.1' },
      known: false,
      visibleVps: 0,
      heardVps: 1,
    });
  });

  it.each([
    [[], 'origins or visibility is missing'],
    [['everything'], 'expected origins or visibility, got "everything"'],
    [['origin'], 'expected origins or visibility, got "origin", did you mean origins?'],
    [
      ['192.0.2.0/24'],
      'expected origins or visibility, got "192.0.2.0/24", did you mean origins --prefix=192.0.2.0/24?',
    ],
    [['origins', '--format=v1'], '--format: expected pretty or json, got "v1"'],
  ])('%j is wrong usage', async (args, message) => {
    const { exit } = runCommand(watchCommand, args, { env: { BGP_API_KEY: KEY } });
    await expect(exit).rejects.toMatchObject({ code: 'USAGE', message });
  });
});
