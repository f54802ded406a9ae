/** Claim 9: how soon after its start the command answers a scrape with the right numbers, empty-handed and with a snapshot. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { SnapshotStore } from '../src/storage/snapshot-store.ts';
import { Child } from './child.ts';
import { type BenchContext, type Claim, type Finding, short } from './claim.ts';
import { seriesOf } from './exposition.ts';
import { FilledTable } from './filled-table.ts';
import { prefixTexts } from './messages.ts';
import { median } from './rounds.ts';
import type { Services, ServicesInput } from './simulated-services.ts';

const ROUNDS = 5;
const MAIN = join(import.meta.dirname, '../src/main.js');
const COLD: ServicesInput = { vps: 1_000, prefixes: 10 };
const WARM = { vps: 5_000, prefixes: 1_000, origins: 10 };
const LIMIT_MS = 60_000;
/** Between scrapes that were not right yet. */
const POLL_MS = 20;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The body, or undefined while nobody answers. */
function scrape(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/metrics', agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
    }).on('error', () => resolve(undefined));
  });
}

/** Resolves when the log has this message, or has ended. */
function logged(log: Readable, message: string): Promise<void> {
  return new Promise((resolve) => {
    let text = '';
    log.setEncoding('utf8');
    log.on('data', (part: string) => {
      text += part;
      if (text.includes(message)) resolve();
    });
    log.on('end', () => resolve());
  });
}

/**
 * Starts the command, scrapes until the body is right, stops it. Gives the time from start to then, ms. Scrapes begin with
 * the message of the log that all is there: before it they would find nothing, and be what the start is busy with.
 */
async function startUntil(
  yaml: (port: number) => string,
  message: string,
  right: (body: string) => boolean,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bgproutes-bench-'));
  const port = await freePort();
  const file = join(folder, 'config.yml');
  writeFileSync(file, yaml(port));
  const startMs = performance.now();
  const command = spawn(process.execPath, [MAIN, `--config.file=${file}`], { stdio: ['ignore', 'inherit', 'pipe'] });
  const ended = new Promise<void>((resolve) => command.once('exit', () => resolve()));
  try {
    await logged(command.stderr, message);
    for (;;) {
      const body = await scrape(port);
      const tookMs = performance.now() - startMs;
      if (body !== undefined && right(body)) return tookMs;
      if (command.exitCode !== null) throw new Error(`the command ended with code ${command.exitCode}`);
      if (tookMs > LIMIT_MS) throw new Error(`no right scrape within a minute; the last one: ${body?.slice(0, 500)}`);
      await sleep(POLL_MS);
    }
  } finally {
    command.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  }
}

/** Both wall time: what a start waits for, disk and answers, counts too. */
function within(claim: string, limitMs: number, tookMs: number): Finding {
  return {
    claim,
    goal: `under ${limitMs / 1_000} s`,
    measured: `${short(tookMs / 1_000)} s`,
    held: tookMs < limitMs,
  };
}

async function measure({ progress }: BenchContext): Promise<Finding[]> {
  const services = new Child('simulated-services');
  const storage = mkdtempSync(join(tmpdir(), 'bgproutes-bench-snapshot-'));
  try {
    const { url, websocketUrl, apiKey, visible } = await services.ask<Services>(COLD);
    const cold = (port: number) => `prefixes: [${visible.map(([prefix]) => `{ prefix: "${prefix}" }`)}]
bgproutes:
  api_keys: [${apiKey}]
  websocket_url: ${websocketUrl}
  live_manager_url: ${url}
  data_api_url: ${url}/v1
table: { data_api_lag: 0s }
web: { listen_address: "127.0.0.1:${port}" }
`;
    /** Everything is there: the stream is up, and the table has what every VP holds. */
    const coldRight = (body: string) => {
      const series = seriesOf(body);
      return (
        series['bgp_table_seeded{}'] === 1 &&
        series['bgp_stream_up{session="0",source="bgproutes"}'] === 1 &&
        visible.every(([prefix, vps]) => series[`bgp_prefix_visible_vps{prefix="${prefix}"}`] === vps)
      );
    };

    await new SnapshotStore(storage).save(new FilledTable(WARM).table, () => ({
      createdAtMs: Date.now(),
      completeUntil: {},
      final: true,
    }));
    const megabytes = statSync(join(storage, 'table.snapshot')).size / 1e6;
    progress(`snapshot of ${WARM.vps * WARM.prefixes} routes, ${Math.round(megabytes)} MB`);
    const texts = prefixTexts(WARM.prefixes);
    const nowhere = await freePort();
    const warm = (port: number) => `prefixes: [${texts.map((prefix) => `{ prefix: "${prefix}" }`)}]
bgproutes:
  api_keys: [bench-key]
  prefixes_per_key: ${WARM.prefixes}
  websocket_url: ws://127.0.0.1:${nowhere}
  live_manager_url: http://127.0.0.1:${nowhere}
  data_api_url: http://127.0.0.1:${nowhere}
storage: { path: "${storage}" }
web: { listen_address: "127.0.0.1:${port}" }
`;
    const warmRight = (body: string) => {
      const series = seriesOf(body);
      return texts.every((prefix) => series[`bgp_prefix_visible_vps{prefix="${prefix}"}`] === WARM.vps);
    };

    const times: { cold: number[]; warm: number[] } = { cold: [], warm: [] };
    for (let round = 1; round <= ROUNDS; round++) {
      times.cold.push(await startUntil(cold, 'the table is complete', coldRight));
      times.warm.push(await startUntil(warm, 'table restored', warmRight));
      progress(`round ${round} of ${ROUNDS}`);
    }
    return [
      within('start to the first right scrape: cold, seeded from the Data API', 1_000, median(times.cold)),
      within('start to the first right scrape: with a snapshot of 5,000,000 routes', 3_000, median(times.warm)),
    ];
  } finally {
    await services.stop();
    rmSync(storage, { recursive: true });
  }
}

export const claim: Claim = { number: 9, title: 'start', measure };
