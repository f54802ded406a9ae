import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ribCommand } from '../../../src/commands/look/rib.ts';
import { subscribeCommand } from '../../../src/commands/look/subscribe.ts';
import { tailCommand } from '../../../src/commands/look/tail.ts';
import { vpsCommand } from '../../../src/commands/look/vps.ts';
import { patiently, SUBSCRIPTION, VP_LIST } from '../../../src/commands/terminal/patience.ts';
import { cleanups, KEY, P1, simulate } from '../../bgproutes/client/client-world.ts';
import { addresses, Output, runCommand } from '../command-world.ts';

describe('what takes long', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is told after two seconds, then every ten, and not any more when it is done', async () => {
    const stderr = new Output();
    let finish = (_: string): void => {};
    let rows = 0;
    const done = patiently(
      { stderr },
      () => `the answer, ${rows} rows so far`,
      () => new Promise<string>((resolve) => (finish = resolve)),
    );
    vi.advanceTimersByTime(1_999);
    expect(stderr.text).toBe('');
    vi.advanceTimersByTime(1);
    rows = 5;
    vi.advanceTimersByTime(10_000);
    expect(stderr.lines).toEqual([
      '# still waiting for the answer, 0 rows so far (2 s)',
      '# still waiting for the answer, 5 rows so far (12 s)',
    ]);
    finish('done');
    expect(await done).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is told in lines that fit a terminal', () => {
    const stderr = Object.assign(new Output(), { isTTY: true, columns: 40 });
    void patiently({ stderr }, 'the service whose name is rather long', () => new Promise(() => {}));
    vi.advanceTimersByTime(2_000);
    expect(stderr.lines).toEqual(['# still waiting for the service whose', '#   name is rather long (2 s)']);
    vi.clearAllTimers();
  });

  it('leaves no timer when it fails', async () => {
    const failing = patiently({ stderr: new Output() }, 'nothing', () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a service that does not answer', () => {
  it.each([
    ['vps', vpsCommand, [], 'vantage_points', VP_LIST],
    ['rib', ribCommand, [`--prefix=${P1}`], 'rib', "the Data API's routes, 0 so far"],
    ['subscribe', subscribeCommand, [`--prefix=${P1}`], 'live_manager', SUBSCRIPTION.live_manager],
    ['tail', tailCommand, [`--prefix=${P1}`], 'live_manager', SUBSCRIPTION.live_manager],
  ] as const)('is waited for by %s with a word on standard error', async (_, command, args, endpoint, what) => {
    const simulator = await simulate();
    simulator.addVantagePoint({ protocol: 'bgp', asn: 3333, ip: '193.0.0.56' });
    simulator.faults.api(endpoint, 'timeout');
    const run = runCommand(command, [...args, ...addresses(simulator)], { env: { BGP_API_KEY: KEY } });
    await run.noted(`# still waiting for ${what} (`);
    expect(await run.stop()).toBe(0);
    expect(run.stdout.text).not.toContain('waiting');
  });

  it.each([
    ['subscribe', subscribeCommand],
    ['tail', tailCommand],
  ] as const)('is the one that %s names: the stream, when that does not answer', async (_, command) => {
    const simulator = await simulate();
    const silent = createServer().listen(0, '127.0.0.1');
    cleanups.push(async () => silent.close());
    await once(silent, 'listening');
    const flags = addresses({
      url: simulator.url,
      websocketUrl: `ws://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    });
    const run = runCommand(command, [`--prefix=${P1}`, ...flags], { env: { BGP_API_KEY: KEY } });
    await run.noted(`# still waiting for ${SUBSCRIPTION.stream} (`);
    expect(await run.stop()).toBe(0);
  });
});
