/** Runs one attack on an exporter that is a process of its own, and measures what its neighbours feel of it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../support/program.ts';
import type { Attack } from './attacks.ts';
import { startHostileServices } from './hostile-services.ts';
import type { Latencies } from './probe.ts';

export interface Outcome {
  /** Most resident memory, MB; undefined where the system does not tell (only Linux does). */
  readonly peakMb: number | undefined;
  /** Longest time until `/-/healthy` answered, and that of 99 of 100 answers, ms; Infinity when one failed. */
  readonly longestPauseMs: number;
  readonly p99PauseMs: number;
  /** The same without the time in which the exporter or the prober waited for a core. */
  readonly longestOwnPauseMs: number;
  readonly p99OwnPauseMs: number;
  /** CPU time of the exporter's longest turn, ms: what other work on the machine does not add to. NaN where not told. */
  readonly longestTurnMs: number;
  /** From SIGTERM to the end, ms. */
  readonly stopMs: number;
  /** How often the hostile service was asked; undefined in attacks by clients. */
  readonly attacked: number | undefined;
}

/** What holds under every attack. */
export const HELD = { peakMb: 200, longestOwnPauseMs: 100, longestTurnMs: 30, stopMs: 5_000 } as const;

/** A stop that takes longer than this has failed. */
const STOP_MS = 30_000;
const PROBE = fileURLToPath(new URL('probe.ts', import.meta.url));
const METER = new URL('turn-meter.js', import.meta.url).href;
const KEY = 'attacked-key';

/** @param bytes size of hostile bodies before compression @param ms how long the exporter is attacked */
export async function runAttack({ answers, clients, args }: Attack, bytes: number, ms: number): Promise<Outcome> {
  const services = await startHostileServices(answers?.(bytes) ?? {});
  const folder = mkdtempSync(join(tmpdir(), 'attack-'));
  const turns = join(folder, 'turns.json');
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
      ...(args?.(services.address, folder) ?? []),
    ],
    { BGP_API_KEY: KEY, NODE_OPTIONS: `--import=${METER}`, TURN_METER_FILE: turns },
  );
  const ended = new AbortController();
  try {
    const port = Number((await program.seen(/web server listens" address=127\.0\.0\.1:(\d+)/))[1]);
    // The libraries of the export are loaded by now, at once; an attack that begins at the first moment has no say in that.
    await program.seen(/"OTLP export is on"/);
    program.child.kill('SIGUSR2');
    clients?.(port, ended.signal);
    const pid = program.child.pid as number;
    const pauses = await probe(port, ms, pid);
    const peakMb = peakOf(pid);
    program.child.kill('SIGUSR2');
    const { longestCpuMs } = await readWritten<{ longestCpuMs: number | null }>(turns);
    const stopsAtMs = performance.now();
    program.child.kill('SIGTERM');
    await Promise.race([program.exit, wait(STOP_MS, undefined, { ref: false })]);
    const stopMs = performance.now() - stopsAtMs;
    return {
      peakMb,
      longestPauseMs: pauses.max,
      p99PauseMs: pauses.p99,
      longestOwnPauseMs: pauses.ownMax,
      p99OwnPauseMs: pauses.ownP99,
      longestTurnMs: longestCpuMs ?? Number.NaN,
      stopMs,
      attacked: answers === undefined ? undefined : services.attacked(),
    };
  } finally {
    ended.abort();
    program.child.kill('SIGKILL');
    services.close();
    rmSync(folder, { recursive: true });
  }
}

/** The JSON of a file that another process writes, once it is there. */
async function readWritten<Value>(path: string): Promise<Value> {
  for (const untilMs = performance.now() + STOP_MS; ; await wait(20)) {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as Value;
    } catch (error) {
      if (performance.now() > untilMs) throw error;
    }
  }
}

const NO_ANSWER: Latencies = {
  max: Number.POSITIVE_INFINITY,
  p99: Number.POSITIVE_INFINITY,
  ownMax: Number.POSITIVE_INFINITY,
  ownP99: Number.POSITIVE_INFINITY,
  count: 0,
};

/** Probes by a process of their own for so long, ms. */
async function probe(port: number, ms: number, pid: number): Promise<Latencies> {
  const prober = fork(PROBE, [String(port), String(ms), String(pid)], { execArgv: ['--import', 'tsx'] });
  try {
    const told = once(prober, 'message') as Promise<[Latencies | null]>;
    const ended = once(prober, 'exit').then((): [null] => [null]);
    const [latencies] = await Promise.race([told, ended]);
    return latencies ?? NO_ANSWER;
  } finally {
    prober.kill();
  }
}

function peakOf(pid: number): number | undefined {
  try {
    const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  } catch {
    return undefined;
  }
}
