/**
 * A whole exporter in a process of its own, as `serve` runs it, fed as fast as it can take. When asked it watches itself
 * for a while: events applied, CPU time of the thread that applies them, longest turn of the event loop.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../src/config/config.ts';
import { type RunningExporter, startExporter } from '../src/exporter.ts';
import { createLogger } from '../src/logger.ts';
import { cpuTimeUs } from './rounds.ts';
import { longestTurnMs, threadTimeMs } from './turn-clock.ts';

export interface ScrapedInput {
  /** Text of the configuration file. */
  readonly yaml: string;
}

export interface Watch {
  readonly ms: number;
  /** Leaves it alone meanwhile: it rests where it has nothing to do, and no pause is looked for. */
  readonly atRest?: boolean;
}

export interface Watched {
  /** How long it was watched, wall time. */
  readonly ms: number;
  readonly events: number;
  /** CPU time of the thread that applies them. */
  readonly busyMs: number;
  /** Likewise, of the longest turn of the event loop; 0 at rest. */
  readonly longestPauseMs: number;
  /** CPU time of all threads of the process. */
  readonly processMs: number;
}

let exporter: RunningExporter | undefined;

function events(): number {
  let count = 0;
  for (const { announcements, withdrawals } of exporter?.table.prefixes.monitored() ?? [])
    count += announcements + withdrawals;
  return count;
}

/** Lets the event loop turn for so long (wall time), and looks how long its turns are, or lets it wait. */
async function watch({ ms, atRest = false }: Watch): Promise<Watched> {
  const from = performance.now();
  const until = from + ms;
  const start = { events: events(), busyMs: threadTimeMs(), processMs: cpuTimeUs() / 1_000 };
  const longestPauseMs = atRest ? await sleep(ms, 0) : await longestTurnMs(() => performance.now() >= until);
  return {
    ms: performance.now() - from,
    events: events() - start.events,
    busyMs: threadTimeMs() - start.busyMs,
    longestPauseMs,
    processMs: cpuTimeUs() / 1_000 - start.processMs,
  };
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
  return watch(question);
}

process.on('message', (question: ScrapedInput | Watch) => {
  void answer(question).then((reply) => process.send?.(reply as object));
});
process.once('disconnect', () => process.exit(0));
