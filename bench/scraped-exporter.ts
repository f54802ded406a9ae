/**
 * A whole exporter in a process of its own, as `serve` runs it, fed as fast as it can take. When asked it watches itself
 * for a while: events applied, CPU time of the thread that applies them, longest turn of the event loop.
 */
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
}

export interface Watched {
  readonly events: number;
  /** CPU time of the thread that applies them. */
  readonly busyMs: number;
  /** Likewise, of the longest turn of the event loop. */
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

/** Lets the event loop turn for so long (wall time), and looks how long its turns are. */
async function watch(ms: number): Promise<Watched> {
  const until = performance.now() + ms;
  const start = { events: events(), busyMs: threadTimeMs(), processMs: cpuTimeUs() / 1_000 };
  const longestPauseMs = await longestTurnMs(() => performance.now() >= until);
  return {
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
  return watch(question.ms);
}

process.on('message', (question: ScrapedInput | Watch) => {
  void answer(question).then((reply) => process.send?.(reply as object));
});
process.once('disconnect', () => process.exit(0));
