/**
 * A whole exporter in a process of its own, as `serve` runs it, fed as fast as it can take. When asked it watches itself
 * for a while: events applied, CPU time of the thread that applies them, longest turn of the event loop.
 */
import { openSync, readSync } from 'node:fs';
import { loadConfig } from '../src/config/config.ts';
import { type RunningExporter, startExporter } from '../src/exporter.ts';
import { createLogger } from '../src/logger.ts';

export interface ScrapedInput {
  /** Text of the configuration file. */
  readonly yaml: string;
}

export interface Watch {
  readonly ms: number;
}

export interface Watched {
  readonly events: number;
  /** CPU time of the thread that applies them. */
  readonly busyMs: number;
  /** Likewise, of the longest turn of the event loop. */
  readonly longestPauseMs: number;
}

let exporter: RunningExporter | undefined;

function events(): number {
  let count = 0;
  for (const { announcements, withdrawals } of exporter?.table.prefixes.monitored() ?? [])
    count += announcements + withdrawals;
  return count;
}

const statistics = openStatistics();
const text = Buffer.alloc(64);

function openStatistics(): number | undefined {
  try {
    return openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  } catch {
    return undefined;
  }
}

/**
 * CPU time of this thread, ms: what it did itself, however many others the machine has to serve. The first field of Linux'
 * schedstat; wall time where there is none.
 */
function threadTimeMs(): number {
  if (statistics === undefined) return performance.now();
  const length = readSync(statistics, text, 0, text.length, 0);
  return Number(text.toString('latin1', 0, length).split(' ', 1)[0]) / 1e6;
}

/** Lets the event loop turn for so long (wall time), and looks how long its turns are. */
function watch(ms: number): Promise<Watched> {
  return new Promise((resolve) => {
    const until = performance.now() + ms;
    const start = { events: events(), busyMs: threadTimeMs() };
    let before = start.busyMs;
    let longestPauseMs = 0;
    const turn = () => {
      const now = threadTimeMs();
      longestPauseMs = Math.max(longestPauseMs, now - before);
      before = now;
      if (performance.now() < until) setImmediate(turn);
      else resolve({ events: events() - start.events, busyMs: now - start.busyMs, longestPauseMs });
    };
    setImmediate(turn);
  });
}

async function answer(question: ScrapedInput | Watch): Promise<unknown> {
  if ('yaml' in question) {
    const config = loadConfig({
      flags: { 'config.file': 'bench.yml' },
      env: {},
      readFile: () => question.yaml,
    });
    exporter = await startExporter(config, {
      logger: createLogger({ level: 'error', format: 'logfmt', destination: process.stderr }),
      version: { version: '0.0.0', revision: 'bench', nodeVersion: process.versions.node },
    });
    return exporter.address;
  }
  return watch(question.ms);
}

process.on('message', (question: ScrapedInput | Watch) => {
  void answer(question).then((reply) => process.send?.(reply as object));
});
process.once('disconnect', () => process.exit(0));
