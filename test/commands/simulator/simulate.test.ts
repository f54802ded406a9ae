import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import type { CommandIo } from '../../../src/commands/command.ts';
import { simulateCommand } from '../../../src/commands/simulator/simulate.ts';
import { redact } from '../../../src/secrets/redaction.ts';
import { SIMULATOR_KEY } from '../../../src/simulator/default-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'simulate-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command until its output holds `text`, then stops it. */
async function run(args: readonly string[], text: string, then: (output: string) => Promise<void> = async () => {}) {
  const stop = new AbortController();
  const output = { stdout: '', stderr: '' };
  const collect = (name: 'stdout' | 'stderr') => new PassThrough().on('data', (chunk) => (output[name] += chunk));
  const io: CommandIo = {
    env: {},
    stdout: collect('stdout'),
    stderr: collect('stderr'),
    signal: stop.signal,
    onHangup: () => () => {},
    onFatal: () => {},
  };
  const exit = simulateCommand.run(args, io);
  const isThere = async () => {
    while (!output.stdout.includes(text)) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await Promise.race([isThere(), exit]);
  await then(output.stdout);
  stop.abort();
  return { code: await exit, ...output };
}

describe('simulate', () => {
  it('its key cuts no word out of a log: none of the words of the documents holds it', () => {
    const docs = new URL('../../../docs/', import.meta.url);
    const texts = readdirSync(docs)
      .filter((name) => name.endsWith('.md'))
      .map((name) => readFileSync(new URL(name, docs), 'utf8').replaceAll(`\`${SIMULATOR_KEY}\``, ''));
    for (const text of texts) expect(redact(text, [SIMULATOR_KEY])).toBe(redact(text, []));
    expect(redact(`Another client uses ${SIMULATOR_KEY}`, [SIMULATOR_KEY])).toBe('Another client uses [redacted]');
  });

  it('says what to point the exporter at, tells every step, and stops with 0', async () => {
    const path = join(folder, 'outage.yml');
    writeFileSync(
      path,
      'churn_per_minute: 0\nvps: 40\nprefixes: [{prefix: 192.0.2.0/24, origin: 64500}]\nsteps: [{at: 1s, do: outage, prefix: 192.0.2.0/24}]\n',
    );
    const { code, stdout, stderr } = await run(
      ['--listen=127.0.0.1:0', '--rtr-listen=127.0.0.1:0', `--scenario=${path}`, '--speed=100'],
      'outage of',
      async (output) => {
        const url = /--bgproutes.data-api-url=(\S+)/.exec(output)![1];
        const answer = await fetch(`${url}/v1/vantage_points`, { headers: { 'x-api-key': SIMULATOR_KEY } });
        expect(answer.status).toBe(200);
      },
    );
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Simulator of bgproutes\.io on http:\/\/127\.0\.0\.1:\d+: 40 vantage points, 1 prefixes\./);
    expect(stdout).toMatch(
      /BGP_API_KEY=sim-key (?:npx bgproutes-exporter|bgproutes-exporter|node \S+main\.js) \\\n {4}--prefix=192\.0\.2\.0\/24 \\\n {4}--bgproutes\.websocket-url=ws:\/\/127\.0\.0\.1:(\d+) \\\n {4}--bgproutes\.live-manager-url=http:\/\/127\.0\.0\.1:\1 \\\n {4}--bgproutes\.data-api-url=http:\/\/127\.0\.0\.1:\1\n/,
    );
    expect(stdout).toMatch(/\nVRPs and ASPAs are served over RTR on port [1-9]\d*\.\n\nCtrl-C stops it\.\n/);
    expect(stdout).toMatch(/\n\d\d:\d\d:\d\d {2}outage of 192\.0\.2\.0\/24: \d+ -> 0 VPs see 192\.0\.2\.0\/24\n/);
  });

  it('a recording says when it will start; a key of the user is never printed', async () => {
    const path = join(folder, 'recording.jsonl');
    writeFileSync(
      path,
      '{"record_type":"update","vp":"1_192.0.2.1","sec":1,"Usec":0,"prefixes":"10.0.0.0/8","as-path":"1"}\n',
    );
    const { stdout, stderr } = await run(
      ['--listen=127.0.0.1:0', `--replay=${path}`, '--api-key=s3cret', '--log.level=debug'],
      'Ctrl-C',
      async (output) => {
        const url = /--bgproutes.data-api-url=(\S+)/.exec(output)![1];
        const answer = await fetch(`${url}/update_live_prefixes?api_key=s3cret&new_pfxs=10.0.0.0/8`);
        expect(answer.status).toBe(200);
      },
    );
    expect(stdout).toContain('The recording starts when the first client has subscribed and connected.');
    expect(stdout).toContain('--prefix=10.0.0.0/8');
    expect(stderr).toContain('prefixes associated');
    expect(stdout + stderr).not.toContain('s3cret');
  });

  it.each([
    [['--speed=0'], 'USAGE', '--speed: expected a number above 0 such as 10 or 0.5, or max, got "0"'],
    [['--speed=fast'], 'USAGE', '--speed: expected a number above 0 such as 10 or 0.5, or max, got "fast"'],
    [['--vps=many'], 'USAGE', '--vps: expected a whole number from 0 to 20000'],
    [['--max-prefixes=0'], 'USAGE', '--max-prefixes: expected a whole number from 1 to 100000'],
    [['--association-ttl=4'], 'USAGE', '--association-ttl: expected a duration such as 1m30s or 4h'],
    [['--timestamps=then'], 'USAGE', '--timestamps: expected now or original'],
    [['--listen=8479'], 'USAGE', '--listen: expected HOST:PORT such as 127.0.0.1:8479 or [::1]:0'],
    [['--rtr-listen=8282'], 'USAGE', '--rtr-listen: expected HOST:PORT such as 127.0.0.1:8282 or [::1]:0'],
    [['--api-key='], 'USAGE', '--api-key: expected printable characters without blanks'],
    [['--replay=a', '--scenario=b'], 'USAGE', '--replay and --scenario exclude each other'],
    [['--listn=:1'], 'USAGE', 'unknown flag --listn, did you mean --listen?'],
    [[`--replay=${folder}/none.jsonl`], 'CONFIG', /^cannot read recording .*none\.jsonl: no such file$/],
    [[`--scenario=${folder}/none.yml`], 'CONFIG', /none\.yml: it cannot be read: no such file/],
  ])('%j is refused with what to do', async (args, code, message) => {
    const refused = run(args, 'never');
    await expect(refused).rejects.toMatchObject({ code });
    await expect(refused).rejects.toThrow(message);
  });

  it('every problem of a scenario file is told with the file', async () => {
    const path = join(folder, 'wrong.yml');
    writeFileSync(path, 'vps: -1\nsteps: 3\n');
    await expect(run([`--scenario=${path}`], 'never')).rejects.toMatchObject({
      code: 'CONFIG',
      problems: [
        `${path}: vps (line 1): expected a number from 0 to 20000, got -1`,
        expect.stringMatching(/wrong\.yml: steps \(line 2\): expected a list, got 3$/),
      ],
    });
  });

  it('a port that is taken is told', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    await expect(run([`--listen=127.0.0.1:${port}`], 'never')).rejects.toMatchObject({
      code: 'LISTEN',
      message: expect.stringContaining(`cannot listen on 127.0.0.1:${port}`),
    });
    await expect(run(['--listen=127.0.0.1:0', `--rtr-listen=127.0.0.1:${port}`], 'never')).rejects.toMatchObject({
      code: 'LISTEN',
      message: expect.stringMatching(new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${port}: .* with --rtr-listen=`)),
    });
    await new Promise((resolve) => blocker.close(resolve));
  });
});
