import { describe, expect, it } from 'vitest';
import { subscribeCommand } from '../../../src/commands/look/subscribe.ts';
import { tailCommand } from '../../../src/commands/look/tail.ts';
import { KEY, P1, P2, simulate } from '../../bgproutes/client/client-world.ts';
import { addresses, runCommand } from '../command-world.ts';

const env = { BGP_API_KEY: KEY };

describe('subscribe', () => {
  it('associates prefixes with the key, replacing those before, and ends', async () => {
    const simulator = await simulate();
    const first = runCommand(subscribeCommand, [`--prefix=${P1}`, ...addresses(simulator)], { env });
    expect([await first.exit, first.stdout.text]).toEqual([0, `1 prefix is associated with the key: ${P1}\n`]);
    const second = runCommand(
      subscribeCommand,
      ['--prefix=2A06:3040:10:0::/48', '--prefix=198.51.100.0/24', ...addresses(simulator)],
      { env },
    );
    expect([await second.exit, second.stdout.text]).toEqual([
      0,
      `2 prefixes are associated with the key: ${P2}, 198.51.100.0/24\n`,
    ]);
    expect(simulator.associatedPrefixes(KEY)).toEqual([P2, '198.51.100.0/24']);
    expect(simulator.sessions()).toBe(0);
  });

  it('changes nothing beside a session that uses the key, and says what to do; with --force it does', async () => {
    const simulator = await simulate();
    const tail = runCommand(tailCommand, [`--prefix=${P1}`, ...addresses(simulator)], { env });
    await tail.noted('# connected');
    const args = [`--prefix=${P2}`, ...addresses(simulator)];
    const { exit, stdout } = runCommand(subscribeCommand, args, { env });
    await expect(exit).rejects.toMatchObject({
      code: 'WEBSOCKET_CONNECTION',
      message:
        'another session uses this API key, so nothing was associated with it: Another client is already connected with this API key. ' +
        'That session would lose its prefixes to these: end it, use another key, or take the list from it with --force',
    });
    expect([stdout.text, simulator.associatedPrefixes(KEY)]).toEqual(['', [P1]]);
    const forced = runCommand(subscribeCommand, [...args, '--force'], { env });
    expect([await forced.exit, simulator.associatedPrefixes(KEY)]).toEqual([0, [P2]]);
    await tail.stop();
  });

  it('fails with the reason of the service', async () => {
    const simulator = await simulate({ maxPrefixes: 0 });
    const { exit, stdout } = runCommand(subscribeCommand, [`--prefix=${P1}`, ...addresses(simulator)], { env });
    await expect(exit).rejects.toMatchObject({
      code: 'PREFIX_TO_API_KEY',
      serverText: 'An API key may be associated with up to 0 prefixes, got 1',
    });
    expect(stdout.text).toBe('');
  });

  it('is stopped while the service does not answer', async () => {
    const simulator = await simulate();
    simulator.faults.api('live_manager', 'timeout');
    const run = runCommand(subscribeCommand, [`--prefix=${P1}`, ...addresses(simulator)], { env });
    expect(await run.stop()).toBe(0);
  });

  it('needs a prefix', async () => {
    const { exit } = runCommand(subscribeCommand, [], { env });
    await expect(exit).rejects.toMatchObject({ code: 'USAGE', message: expect.stringMatching(/^no prefix: /) });
  });
});
