/** The package installs and runs in an empty folder, with the packages of the registry that npm is told to use. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildInto } from '../../docs/generate-api-report.ts';
import type { Simulator } from '../../src/simulator/contract.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let folder: string;
let tarball: string;
let project: string;
let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ apiKeys: ['k'], vps: 20, speed: 10 });
  folder = mkdtempSync(join(tmpdir(), 'package-install-'));
  const source = join(folder, 'source');
  project = join(folder, 'project');
  mkdirSync(source);
  mkdirSync(project);
  for (const name of readdirSync(ROOT)) {
    if (['node_modules', 'dist', '.git', '.cache', 'tmp', 'coverage'].includes(name)) continue;
    cpSync(join(ROOT, name), join(source, name), { recursive: true });
  }
  buildInto(source);
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', pack, { cwd: source });
  const [{ filename }] = JSON.parse(stdout) as { filename: string }[];
  writeFileSync(join(project, 'package.json'), '{"private":true,"type":"module"}');
  tarball = join(folder, filename);
  await run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: project });
});

afterAll(async () => {
  await simulator.stop();
  rmSync(folder, { recursive: true, force: true });
});

function addresses(): string[] {
  return [
    `--bgproutes.websocket-url=${simulator.websocketUrl}`,
    `--bgproutes.live-manager-url=${simulator.url}`,
    `--bgproutes.data-api-url=${simulator.url}`,
  ];
}

it('its program prints messages of the stream, and ends with its reader', async () => {
  const [prefix] = simulator.prefixes();
  const command = `npx bgproutes-exporter tail --format=v1 --prefix=${prefix} ${addresses().join(' ')} | head -3`;
  const env = { ...process.env, BGP_API_KEY: 'k' };
  const { stdout } = await run('bash', ['-c', `set -o pipefail; ${command}`], { cwd: project, env });
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line).toMatch(/^\d{10}\.\d+\|[UW]\|\d+\|[0-9a-f.:]+\|/);
});

it('its library reads the stream', async () => {
  const script = `
    import { BgproutesLiveClient, formatMessage } from 'bgproutes-exporter';
    const [websocketUrl, liveManagerUrl, prefix] = process.argv.slice(2);
    const client = new BgproutesLiveClient({ apiKey: 'k', websocketUrl, liveManagerUrl });
    await client.subscribe(prefix);
    for await (const message of client.messages()) { console.log(formatMessage(message)); break; }
  `;
  writeFileSync(join(project, 'read.js'), script);
  const args = ['read.js', simulator.websocketUrl, simulator.url, simulator.prefixes()[0]];
  const { stdout } = await run(process.execPath, args, { cwd: project });
  expect(stdout).toMatch(/^\d{10}\.\d+\|[UW]\|(?:bgp|bmp)\|/);
});

it('it brings no package that only its own development needs', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    devDependencies: Readonly<Record<string, string>>;
  };
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, unknown>>;
  };
  const installed = Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, ''));
  // Types of Node come with packages that it needs.
  const needed = installed.filter((name) => name in devDependencies && name !== '@types/node');
  expect(needed.filter((name) => !name.startsWith('@opentelemetry/'))).toEqual([]);
  expect(installed).toContain('ws');
});

/** The packages `node-PLATFORM-ARCH` of the registry hold the program of Node, and nothing else. */
describe.each(['20', '22', '24'])('on Node %s', (version) => {
  it('the tarball installs where every package must fit (engine-strict), and its program and its library run', async () => {
    const place = join(folder, `node-${version}`);
    const consumer = join(place, 'consumer');
    mkdirSync(consumer, { recursive: true });
    writeFileSync(join(place, 'package.json'), '{"private":true}');
    writeFileSync(join(consumer, 'package.json'), '{"private":true,"type":"module"}');
    const node = `node-${process.platform}-${process.arch}`;
    await run('npm', ['install', '--no-audit', '--no-fund', `${node}@${version}`], { cwd: place });
    const path = `${join(place, 'node_modules', node, 'bin')}:${process.env.PATH}`;
    const asUser = { cwd: consumer, env: { ...process.env, PATH: path } };
    expect((await run('node', ['--version'], asUser)).stdout).toMatch(new RegExp(`^v${version}\\.`));

    const install = ['install', '--engine-strict', '--no-audit', '--no-fund', tarball];
    const { stderr } = await run('npm', install, asUser);
    expect(stderr).not.toContain('EBADENGINE');
    expect(stderr).not.toContain('bgproutes-exporter@'); // as it would be listed among install scripts
    const { stdout: about } = await run('npx', ['bgproutes-exporter', '--version'], asUser);
    expect(about).toMatch(new RegExp(`^bgproutes-exporter, version \\S+ [^]*node version: +v${version}\\.`));
    const vps = ['bgproutes-exporter', 'vps', '--format=json', ...addresses()];
    const { stdout } = await run('npx', vps, { ...asUser, env: { ...asUser.env, BGP_API_KEY: 'k' } });
    expect(JSON.parse(stdout)).not.toHaveLength(0);
    const script = "console.log(typeof (await import('bgproutes-exporter')).BgproutesLiveClient)";
    expect((await run('node', ['--input-type=module', '-e', script], asUser)).stdout).toBe('function\n');
  });
});
