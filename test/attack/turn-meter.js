/**
 * Loaded into the exporter before its own code (`--import`): the longest turn of its event loop, from one SIGUSR2 to the next,
 * written to the file that TURN_METER_FILE names. Wall time tells what a neighbour waits; CPU time of the main thread tells
 * how much of that is the exporter's own work: on a busy machine the rest is waiting for a core.
 */
import { openSync, readSync, writeFileSync } from 'node:fs';

/** A span from one tick to the next is this long at least, ms; a turn in it makes it longer. */
const TICK_MS = 2;

/** Only Linux tells the CPU time of a thread. */
const schedule = open('/proc/self/schedstat');
const text = Buffer.alloc(128);

let began;
let ticking;
let longestMs = 0;
let longestCpuMs = 0;

process.on('SIGUSR2', () => {
  if (ticking === undefined) {
    began = { atMs: performance.now(), cpuMs: cpuMs() };
    tick();
    return;
  }
  clearTimeout(ticking);
  look();
  writeFileSync(process.env.TURN_METER_FILE, JSON.stringify({ longestMs, longestCpuMs }));
});

function tick() {
  ticking = setTimeout(() => {
    look();
    tick();
  }, TICK_MS).unref();
}

function look() {
  const now = { atMs: performance.now(), cpuMs: cpuMs() };
  longestMs = Math.max(longestMs, now.atMs - began.atMs);
  longestCpuMs = Math.max(longestCpuMs, now.cpuMs - began.cpuMs);
  began = now;
}

/** CPU time of the main thread since its start, ms; NaN where the system does not tell. */
function cpuMs() {
  if (schedule === undefined) return Number.NaN;
  process.cpuUsage(); // makes the kernel bring its sums up to date
  const length = readSync(schedule, text, 0, text.length, 0);
  return Number.parseInt(text.toString('latin1', 0, length), 10) / 1e6;
}

function open(path) {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
