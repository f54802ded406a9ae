import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tailCommand } from '../../../src/commands/look/tail.ts';
import { watchCommand } from '../../../src/commands/look/watch.ts';
import type { Simulator } from '../../../src/simulator/contract.ts';
import { BGP_VP, BMP_VP, cleanups, KEY, P1, P2, ROUTE, simulate } from '../../bgproutes/client/client-world.ts';
import { until } from '../../support/patience.ts';
import { startProgram } from '../../support/program.ts';
import { addresses, Output, type Run, type RunOptions, runCommand } from '../command-world.ts';

const TIME = String.raw`\d{10}\.\d+`;

async function tail(
  simulator: Simulator,
  args: readonly string[],
  options: RunOptions = { env: { BGP_API_KEY: KEY } },
): Promise<Run> {
  const run = runCommand(tailCommand, [...args, ...addresses(simulator)], options);
  cleanups.push(() => run.stop().catch(() => {}));
  await run.noted('# connected');
  return run;
}

describe('tail', () => {
  it.each([
    [
      'v1',
      [
        `^${TIME}\\|U\\|3333\\|193\\.0\\.0\\.56\\|${P1}\\|3333 1103 64500\\|3333:100 64500:1:2\\|IGP\\|193\\.0\\.0\\.56$`,
        `^${TIME}\\|W\\|3333\\|193\\.0\\.0\\.56\\|${P1}\\|\\|\\|\\|$`,
      ],
    ],
    [
      'v2',
      [
        `^${TIME}\\|U\\|bgp\\|3333\\|193\\.0\\.0\\.56\\|\\|\\|${P1}\\|3333 1103 64500\\|3333:100 64500:1:2\\|IGP\\|193\\.0\\.0\\.56$`,
        `^${TIME}\\|W\\|bgp\\|3333\\|193\\.0\\.0\\.56\\|\\|\\|${P1}\\|\\|\\|\\|$`,
      ],
    ],
    [
      'pretty',
      [
        `^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z \\+ ${P1}  AS3333 193\\.0\\.0\\.56  path 3333 1103 64500  next hop 193\\.0\\.0\\.56 IGP \\[3333:100 64500:1:2\\]$`,
        `Z - ${P1}  AS3333 193\\.0\\.0\\.56$`,
      ],
    ],
  ])('prints announcements and withdrawals as %s', async (format, [announcement, withdrawal]) => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const run = await tail(simulator, [`--prefix=${P1}`, `--format=${format}`]);
    simulator.announce(vp.key, P1, ROUTE);
    simulator.withdraw(vp.key, P1);
    const [first, second] = await run.printed(2);
    expect(first).toMatch(new RegExp(announcement));
    expect(second).toMatch(new RegExp(withdrawal));
    expect(await run.stop()).toBe(0);
    expect(simulator.sessions()).toBe(0);
  });

  it('folds the pretty line on a terminal that is narrower, and no other', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    for (const [format, lines] of [
      [
        'pretty',
        [
          expect.stringMatching(`Z \\+ ${P1}  AS3333 193\\.0\\.0\\.56$`),
          '    path 3333 1103 64500  next hop 193.0.0.56 IGP [3333:100',
          '    64500:1:2]',
        ],
      ],
      ['v1', [expect.stringMatching(/\|IGP\|193\.0\.0\.56$/)]],
    ] as const) {
      const stdout = Object.assign(new Output(), { columns: 62 });
      const run = await tail(simulator, [`--prefix=${P1}`, `--format=${format}`], {
        env: { BGP_API_KEY: KEY },
        stdout,
      });
      simulator.announce(vp.key, P1, ROUTE);
      expect(await run.printed(lines.length)).toEqual(lines);
      simulator.withdraw(vp.key, P1);
      await run.stop();
    }
  });

  it('prints the whole message as JSON', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BMP_VP);
    const run = await tail(simulator, ['--prefix', P1, '--prefix', P2, '--format=json']);
    simulator.announce(vp.key, [P1, P2], { asPath: '64501 64500' });
    simulator.withdraw(vp.key, P2);
    const [first, second] = (await run.printed(2)).map((line) => JSON.parse(line) as object);
    expect(first).toMatchObject({
      type: 'announcement',
      prefixes: [P1, P2],
      origin: 64500,
      vp: { protocol: 'bmp', parent: { asn: 64500, ip: '192.0.2.1' } },
    });
    expect(second).toMatchObject({ type: 'withdrawal', prefixes: [P2] });
  });

  it('has colours on a terminal, unless NO_COLOR says no', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    for (const [env, isTTY, coloured] of [
      [{}, true, true],
      [{}, false, false],
      [{ NO_COLOR: '1' }, true, false],
      [{ NO_COLOR: '' }, true, true],
      [{ TERM: 'dumb' }, true, false],
    ] as const) {
      const stdout = new Output();
      stdout.isTTY = isTTY;
      const run = await tail(simulator, [`--prefix=${P1}`], { env: { BGP_API_KEY: KEY, ...env }, stdout });
      simulator.announce(vp.key, P1, ROUTE);
      const [line] = await run.printed(1);
      expect([env, line.includes('\u001b[32m+')]).toEqual([env, coloured]);
      expect(line.includes('\u001b')).toBe(coloured);
      await run.stop();
    }
  });

  it('without a prefix reads what the key has', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    await fetch(`${simulator.url}/update_live_prefixes?api_key=${KEY}&new_pfxs=${P2}`);
    const run = await tail(simulator, ['--format=v1']);
    expect(run.stderr.text).toContain('# connected; waiting for changes of the prefixes that the key has\n');
    simulator.announce(vp.key, P2, ROUTE);
    expect(await run.printed(1)).toHaveLength(1);
    expect(simulator.associatedPrefixes(KEY)).toEqual([P2]);
  });

  it('says on standard error what happens to the connection, and goes on', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const run = await tail(simulator, [`--prefix=${P1}`, '--format=v1']);
    simulator.faults.garbage('invalid_json');
    simulator.faults.garbage('invalid_json');
    simulator.faults.garbage({ text: '{"record_type":"update","vp":"1_192.0.2.1","sec":1,"colour\u009b":"red"}' });
    await run.noted('withdrawal_without_prefix');
    simulator.faults.cut();
    await run.noted('# connected again after');
    simulator.announce(vp.key, P1, ROUTE);
    await run.printed(1);
    expect(run.stderr.lines).toEqual([
      `# connected; waiting for changes of ${P1}`,
      '# a message could not be read: invalid_json; said once a reason',
      '# a message could not be read: withdrawal_without_prefix (its keys: ["record_type","vp","sec","colour\\u009b"]); said once a reason',
      expect.stringMatching(/^# disconnected: closed \(close code 1006\); trying again$/),
      expect.stringMatching(/^# connected again after \d+\.\d s; what changed meanwhile is not known$/),
    ]);
  });

  it('ends with the error of the service', async () => {
    const simulator = await simulate();
    const wrong = runCommand(tailCommand, [`--prefix=${P1}`, ...addresses(simulator)], {
      env: { BGP_API_KEY: 'wrong' },
    });
    await expect(wrong.exit).rejects.toMatchObject({
      code: 'PREFIX_TO_API_KEY',
      message: 'the prefixes could not be associated with the key: HTTP status 403: Invalid API key',
    });
    const refused = runCommand(tailCommand, addresses(simulator), { env: { BGP_API_KEY: 'wrong' } });
    await expect(refused.exit).rejects.toMatchObject({
      code: 'WEBSOCKET_CONNECTION',
      message: 'the service refused the live stream: Invalid API key',
    });
  });

  it.each([
    [tailCommand, []],
    [watchCommand, ['origins']],
  ])('takes nothing from a session that uses the key', async (command, words) => {
    const simulator = await simulate();
    const first = runCommand(tailCommand, [`--prefix=${P1}`, ...addresses(simulator)], { env: { BGP_API_KEY: KEY } });
    await first.noted('# connected');
    const second = runCommand(command, [...words, '--prefix=198.51.100.0/24', ...addresses(simulator)], {
      env: { BGP_API_KEY: KEY },
    });
    await expect(second.exit).rejects.toMatchObject({
      code: 'WEBSOCKET_CONNECTION',
      message: expect.stringMatching(/^another session uses this API key, so nothing was associated with it: /),
    });
    expect(simulator.associatedPrefixes(KEY)).toEqual([P1]);
    await first.stop();
  });

  it('slows down with its output, and loses nothing', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    class Slow extends Output {
      waiting: (() => void)[] = [];
      override _write(chunk: Buffer, _encoding: string, done: () => void): void {
        this.text += chunk.toString();
        this.waiting.push(done);
      }
    }
    const stdout = new Slow({ highWaterMark: 100 });
    const run = await tail(simulator, [`--prefix=${P1}`, '--format=v1'], { env: { BGP_API_KEY: KEY }, stdout });
    for (let i = 1; i <= 200; i++) simulator.announce(vp.key, P1, { asPath: `3333 ${i}` });
    await until(() => expect(stdout.waiting).toHaveLength(1));
    await until(() => expect(simulator.stats.frames).toBe(200));
    expect(stdout.writableLength).toBeLessThan(1_000);
    while (stdout.lines.length < 200) {
      stdout.waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(stdout.lines.map((line) => line.split('|')[5])).toEqual(
      Array.from({ length: 200 }, (_, i) => `3333 ${i + 1}`),
    );
    for (const done of stdout.waiting.splice(0)) done();
    expect(await run.stop()).toBe(0);
  });
});

describe('the key of tail', () => {
  it.each([
    ['--bgproutes.api-key-file', (path: string) => [`--bgproutes.api-key-file=${path}`], {}],
    ['BGP_API_KEY_FILE', () => [], (path: string) => ({ BGP_API_KEY_FILE: path })],
    ['BGP_API_KEY', () => [], { BGP_API_KEY: KEY }],
  ])('comes from %s', async (_, argsOf, envOf) => {
    const simulator = await simulate();
    const folder = mkdtempSync(join(tmpdir(), 'tail-'));
    cleanups.push(async () => rmSync(folder, { recursive: true }));
    const path = join(folder, 'key');
    writeFileSync(path, `${KEY}\n`);
    const env = typeof envOf === 'function' ? envOf(path) : envOf;
    const run = await tail(simulator, [...argsOf(path), `--prefix=${P1}`], { env });
    expect(simulator.associatedPrefixes(KEY)).toEqual([P1]);
    await run.stop();
  });

  it("and the prefixes come from the exporter's configuration file", async () => {
    const simulator = await simulate();
    const folder = mkdtempSync(join(tmpdir(), 'tail-'));
    cleanups.push(async () => rmSync(folder, { recursive: true }));
    const file = join(folder, 'bgproutes.yml');
    const text = `prefixes: [{prefix: ${P1}}, {prefix: "${P2}"}]\nbgproutes: {api_keys: [${KEY}]}\n`;
    writeFileSync(file, text);
    const all = await tail(simulator, [`--config.file=${file}`], { env: {} });
    expect(simulator.associatedPrefixes(KEY)).toEqual([P1, P2]);
    await all.stop();
    // Prefixes of the command line replace them, also one of them.
    const one = await tail(simulator, [`--config.file=${file}`, `--prefix=${P2}`], { env: {} });
    expect(simulator.associatedPrefixes(KEY)).toEqual([P2]);
    await one.stop();
    writeFileSync(file, `bgproutes: {api_keys: [${KEY}]}\n`);
    const none = await tail(simulator, [`--config.file=${file}`, `--prefix=${P1}`], { env: {} });
    expect(simulator.associatedPrefixes(KEY)).toEqual([P1]);
    await none.stop();
  });

  it.each([
    [[], {}, /^no API key: set BGP_API_KEY/],
    [['--format=v3'], { BGP_API_KEY: KEY }, /^--format: expected pretty, v1, v2 or json, got "v3"$/],
    [['--prefix=x'], { BGP_API_KEY: KEY }, /^--prefix: expected a prefix such as 192\.0\.2\.0\/24, got "x"$/],
    [['--prefix=192.0.2.1/24'], { BGP_API_KEY: KEY }, /did you mean 192\.0\.2\.0\/24\?$/],
    [
      Array.from({ length: 11 }, (_, i) => `--prefix=10.0.${i}.0/24`),
      { BGP_API_KEY: KEY },
      /^11 prefixes are more than the 10 that one key has/,
    ],
    [['x'], { BGP_API_KEY: KEY }, /^unexpected argument "x"$/],
  ])('%j is wrong usage', async (args, env, message) => {
    const { exit } = runCommand(tailCommand, args, { env });
    await expect(exit).rejects.toThrow(message);
    await expect(exit).rejects.toMatchObject({ code: expect.stringMatching(/^(?:USAGE|CONFIG)$/) });
  });
});

describe('tail in a pipe', () => {
  it('ends with exit code 0 when its reader goes away, as with head', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const program = startProgram(['tail', `--prefix=${P1}`, '--format=v1', ...addresses(simulator)], {
      BGP_API_KEY: KEY,
    });
    cleanups.push(async () => program.child.kill('SIGKILL'));
    await program.seen(/# connected/);
    simulator.announce(vp.key, P1, ROUTE);
    await program.seen(/\|U\|3333/);
    program.child.stdout?.destroy();
    const stop = setInterval(() => simulator.announce(vp.key, P1, ROUTE), 20);
    try {
      expect(await program.exit).toBe(0);
    } finally {
      clearInterval(stop);
    }
    expect(program.stderr()).toBe(`# connected; waiting for changes of ${P1}\n`);
    await until(() => expect(simulator.sessions()).toBe(0));
  });

  it('ends with exit code 0 by Ctrl-C, also while it waits', async () => {
    const simulator = await simulate();
    const program = startProgram(['tail', `--prefix=${P1}`, ...addresses(simulator)], { BGP_API_KEY: KEY });
    cleanups.push(async () => program.child.kill('SIGKILL'));
    await program.seen(/# connected/);
    program.child.kill('SIGINT');
    expect(await program.exit).toBe(0);
  });

  it('ends with exit code 1 and the reason when the service refuses, without the key', async () => {
    const simulator = await simulate();
    const key = 'wrong-key-0123456789';
    const program = startProgram(['tail', `--prefix=${P1}`, ...addresses(simulator)], { BGP_API_KEY: key });
    expect(await program.exit).toBe(1);
    expect(program.stderr()).toBe(
      'bgproutes-exporter: the prefixes could not be associated with the key: HTTP status 403: Invalid API key\n',
    );
  });
});
