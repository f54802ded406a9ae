/** Runs one attack on an exporter that is a process of its own, and measures what its neighbours feel of it. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { startProgram } from '../support/program.ts';
import type { Attack } from './attacks.ts';
import { startHostileServices } from './hostile-services.ts';

export interface Outcome {
  /** Most resident memory, MB; undefined where the system does not tell (only Linux does). */
  readonly peakMb: number | undefined;
  /** Longest time until `/-/healthy` answered, ms; Infinity when it did not. */
  readonly longestPauseMs: number;
  /** From SIGTERM to the end, ms. */
  readonly stopMs: number;
  /** How often the hostile service was asked; undefined in attacks by clients. */
  readonly attacked: number | undefined;
}

/** What holds under every attack. */
export const HELD = { peakMb: 200, longestPauseMs: 100, stopMs: 5_000 } as const;

/** A probe, or a stop, that takes longer than this has failed. */
const PROBE_MS = 30_000;
const PROBE_EVERY_MS = 20;
const KEY = 'attacked-key';

/** @param bytes size of hostile bodies before compression @param ms how long the exporter is attacked */
export async function runAttack({ answers, clients }: Attack, bytes: number, ms: number): Promise<Outcome> {
  const services = await startHostileServices(answers?.(bytes) ?? {});
  const program = startProgram(
    [
      'serve',
      '--prefix=192.0.2.0/24',
      '--prefix=198.51.100.0/24',
      '--prefix=100.64.0.0/10',
      '--web.enable-lifecycle',
      `--bgproutes.websocket-url=ws://${services.address}`,
      `--bgproutes.live-manager-url=http://${services.address}`,
      `--bgproutes.data-api-url=http://${services.address}`,
      `--otlp.endpoint=http://${services.address}`,
      '--otlp.protocol=http/json',
      '--otlp.interval=1s',
      '--web.listen-address=127.0.0.1:0',
    ],
    { BGP_API_KEY: KEY },
  );
  const ended = new AbortController();
  try {
    const port = Number((await program.seen(/web server listens" address=127\.0\.0\.1:(\d+)/))[1]);
    clients?.(port, ended.signal);
    const longestPauseMs = await longestProbe(port, performance.now() + ms);
    const pid = program.child.pid as number;
    const peakMb = peakOf(pid);
    const stopsAtMs = performance.now();
    program.child.kill('SIGTERM');
    await Promise.race([program.exit, wait(PROBE_MS, undefined, { ref: false })]);
    const stopMs = performance.now() - stopsAtMs;
    return { peakMb, longestPauseMs, stopMs, attacked: answers === undefined ? undefined : services.attacked() };
  } finally {
    ended.abort();
    program.child.kill('SIGKILL');
    services.close();
  }
}

/** One probe after the other until the time (`performance.now`) has come; the longest, ms, Infinity when one failed. */
async function longestProbe(port: number, untilMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let longestMs = 0;
  while (performance.now() < untilMs) {
    const startedAtMs = performance.now();
    const isHealthy = await probe(port, agent);
    longestMs = Math.max(longestMs, isHealthy ? performance.now() - startedAtMs : Number.POSITIVE_INFINITY);
    await wait(PROBE_EVERY_MS);
  }
  agent.destroy();
  return longestMs;
}

function probe(port: number, agent: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path: '/-/healthy', agent, timeout: PROBE_MS }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
    });
    asked.on('error', () => resolve(false));
    asked.on('timeout', () => asked.destroy());
    asked.end();
  });
}

function peakOf(pid: number): number | undefined {
  try {
    const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  } catch {
    return undefined;
  }
}
