/**
 * A process that asks `/-/healthy` one time after the other, so that what the attackers themselves are busy with does not
 * count: `probe.ts PORT MS` tells its parent the longest time until an answer, ms; null when one failed.
 */
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

/** A probe that takes longer than this has failed. */
const PROBE_MS = 30_000;
const PROBE_EVERY_MS = 20;

const [port, ms] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const untilMs = performance.now() + ms;
let longestMs = 0;
while (performance.now() < untilMs) {
  const startedAtMs = performance.now();
  const isHealthy = await probe();
  longestMs = Math.max(longestMs, isHealthy ? performance.now() - startedAtMs : Number.POSITIVE_INFINITY);
  await wait(PROBE_EVERY_MS);
}
process.send?.(Number.isFinite(longestMs) ? longestMs : null);
process.disconnect();
agent.destroy();

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
