/**
 * A process that asks `/-/healthy` one time after the other, so that what the attackers themselves are busy with does not
 * count: `probe.ts PORT MS PID` tells its parent the `Latencies`; null when an answer failed.
 *
 * On a busy machine an answer comes late also because both processes wait for a core. Linux tells how long the main thread of
 * a process has waited: what the exporter (PID) and this process waited meanwhile is taken off, and what is left is the
 * exporter's own work and the way of the answer.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

/** Times until `/-/healthy` answered, ms: as they were, and without the waits for a core. */
export interface Latencies {
  readonly max: number;
  readonly p99: number;
  readonly ownMax: number;
  readonly ownP99: number;
  readonly count: number;
}

/** A probe that takes longer than this has failed. */
const PROBE_MS = 30_000;
const PROBE_EVERY_MS = 20;

const [port, ms, pid] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const untilMs = performance.now() + ms;
const taken: number[] = [];
const own: number[] = [];
let hasFailed = false;
while (performance.now() < untilMs) {
  const waitedMs = waitsMs();
  const startedAtMs = performance.now();
  hasFailed = !(await probe()) || hasFailed;
  const tookMs = performance.now() - startedAtMs;
  taken.push(tookMs);
  own.push(Math.max(0, tookMs - (waitsMs() - waitedMs)));
  await wait(PROBE_EVERY_MS);
}
const [max, p99] = highest(taken);
const [ownMax, ownP99] = highest(own);
process.send?.(hasFailed ? null : ({ max, p99, ownMax, ownP99, count: taken.length } satisfies Latencies));
process.disconnect();
agent.destroy();

/** The highest, and the one that 99 of 100 do not exceed. */
function highest(values: readonly number[]): readonly [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted.at(-1) ?? 0, sorted[Math.max(0, Math.ceil(0.99 * sorted.length) - 1)] ?? 0];
}

/** How long both main threads have waited for a core, ms; 0 where the system does not tell. */
function waitsMs(): number {
  return waitMs('self', process.pid) + waitMs(String(pid), pid);
}

/** Nanoseconds on a core, and of waiting for one. */
function waitMs(process: string, thread: number): number {
  try {
    return Number(readFileSync(`/proc/${process}/task/${thread}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

function probe(): Promise<boolean> {
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
