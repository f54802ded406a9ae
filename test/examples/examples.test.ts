/** Every example runs as it stands, against the simulator. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/contract.ts';
import { SIMULATOR_KEY } from '../../src/simulator/default-key.ts';
import { EMPTY_SCENARIO } from '../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { until } from '../support/patience.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const P1 = '192.23.62.0/24';
const P2 = '2a06:3040:10::/48';
const KEY = SIMULATOR_KEY;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Example {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
  seen(pattern: RegExp): Promise<RegExpExecArray>;
}

/** An example against a simulator with two VPs. */
async function run(name: string, env: Readonly<Record<string, string>> = {}) {
  const simulator = await startSimulator({ apiKeys: [KEY], scenario: EMPTY_SCENARIO });
  cleanups.push(() => simulator.stop());
  const [a, b] = [1, 2].map((n) => simulator.addVantagePoint({ protocol: 'bgp', asn: n, ip: `192.0.2.${n}` }).key);
  const start = (): Example => {
    const child = spawn(process.execPath, ['--import', 'tsx', `examples/${name}`], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, BGP_API_KEY: KEY, SIMULATOR: `127.0.0.1:${simulator.port}`, PORT: '0', ...env },
    });
    cleanups.push(() => child.kill('SIGKILL'));
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    return {
      child,
      output: () => text,
      exit: new Promise((resolve) => child.on('close', resolve)),
      seen: (pattern) =>
        until(() => {
          const match = pattern.exec(text);
          if (match === null) throw new Error(`no ${pattern} in ${JSON.stringify(text)}`);
          return match;
        }, 20),
    };
  };
  // The first connection only asks whether the key is free.
  const connected = () => until(() => expect([simulator.stats.connections, simulator.sessions()]).toEqual([2, 1]));
  return { simulator, a, b, start, connected };
}

async function metric(url: string, line: string): Promise<void> {
  await until(async () => expect(await (await fetch(url)).text()).toContain(line), 50);
}

function see(simulator: Simulator, vp: string, asPath: string, prefixes: string | readonly string[] = [P1, P2]): void {
  simulator.announce(vp, prefixes, { asPath });
}

it.each(readdirSync(new URL('../../examples/', import.meta.url)))('%s names the key of the simulator', (name) => {
  const text = readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8');
  expect(text).toContain(`(whose key is \`${SIMULATOR_KEY}\`)`);
});

describe('examples', () => {
  it('are all tested here', () => {
    expect(readdirSync(`${ROOT}/examples`).toSorted()).toEqual([
      'embed-in-fastify.ts',
      'origin-changes.ts',
      'own-registry.ts',
      'visibility.ts',
    ]);
  });

  it('origin-changes prints changes, VP by VP', async () => {
    const { simulator, a, b, start, connected } = await run('origin-changes.ts');
    const example = start();
    await connected();
    see(simulator, a, '1 64500');
    see(simulator, b, '2 64500', P1);
    see(simulator, a, '1 3 64500');
    see(simulator, a, '1 64666', P2);
    await example.seen(/64666/);
    expect(example.output()).toBe(
      [
        // What each vantage point says first is no change.
        `Origin change! ${P2}: 64500 -> 64666\n`,
      ].join('\n'),
    );
  });

  it('origin-changes ends when its reader has enough', async () => {
    const { simulator, a, start, connected } = await run('origin-changes.ts');
    const example = start();
    await connected();
    example.child.stdout?.destroy();
    for (const origin of [64500, 64501, 64502, 64503]) see(simulator, a, `1 ${origin}`);
    expect(await example.exit).toBe(0);
    expect(example.output()).toBe('');
  });

  it('visibility prints losses and regains', async () => {
    const { simulator, a, b, start, connected } = await run('visibility.ts');
    const example = start();
    await connected();
    see(simulator, a, '1 64500');
    see(simulator, b, '2 64500', P1);
    simulator.withdraw(a, P1);
    see(simulator, a, '1 64500', P1);
    await example.seen(/regained/);
    expect(example.output()).toBe(
      `Visibility lost for ${P1} at bgp 1_192.0.2.1; 1 of 2 see it\n` +
        `Visibility regained for ${P1} at bgp 1_192.0.2.1; 2 of 2 see it\n`,
    );
    simulator.faults.cut();
    await example.seen(/Disconnected/);
  });

  it('own-registry counts what was held before the start and what changes', async () => {
    const { simulator, a, b, start } = await run('own-registry.ts');
    see(simulator, a, '1 64500');
    see(simulator, b, '2 64500', P1);
    const example = start();
    const [, port] = await example.seen(/^Metrics on http:\/\/localhost:(\d+)\/$/m);
    const url = `http://127.0.0.1:${port}/metrics`;
    await example.seen(/The table is complete/);
    await metric(url, `my_prefix_origin_vps{prefix="${P1}",origin_as="64500"} 2`);
    await metric(url, `my_prefix_origin_vps{prefix="${P2}",origin_as="64500"} 1`);
    see(simulator, b, '2 64666', P1);
    simulator.withdraw(a, P2);
    await metric(url, `my_prefix_origin_vps{prefix="${P1}",origin_as="64666"} 1`);
    await metric(url, `my_prefix_origin_vps{prefix="${P1}",origin_as="64500"} 1`);
    await metric(url, `my_prefix_origin_vps{prefix="${P2}",origin_as="64500"} 0`);
    await metric(url, 'my_bgp_messages_total{type="withdrawal"} 1');
    await metric(url, 'my_stream_up 1');
  });

  it('embed-in-fastify serves the metrics of the exporter beside its own pages, and stops in order', async () => {
    const { simulator, a, start } = await run('embed-in-fastify.ts');
    see(simulator, a, '1 3 64500');
    const example = start();
    const [, base] = await example.seen(/Listening on (\S+)/);
    expect(await (await fetch(`${base}/hello`)).text()).toBe('The server that was there already');
    await until(async () => expect((await fetch(`${base}/ready`)).status).toBe(200), 50);
    see(simulator, a, '1 64500');
    await metric(`${base}/metrics`, `bgp_prefix_visible_vps{prefix="${P1}"} 1`);
    const openMetrics = await fetch(`${base}/metrics`, { headers: { accept: 'application/openmetrics-text' } });
    expect(openMetrics.headers.get('content-type')).toContain('application/openmetrics-text');
    expect((await openMetrics.text()).endsWith('# EOF\n')).toBe(true);
    const { prefixes } = (await (await fetch(`${base}/prefixes`)).json()) as { prefixes: object[] };
    expect(prefixes).toMatchObject([
      {
        prefix: P1,
        visibleVps: 1,
        expectedVps: 1,
        origins: [{ as: '64500', vps: 1 }],
        upstreams: [{ as: '1', vps: 1 }],
      },
      { prefix: P2, visibleVps: 1 },
    ]);
    example.child.kill('SIGTERM');
    expect(await example.exit).toBe(0);
    expect(simulator.sessions()).toBe(0);
  });
});
