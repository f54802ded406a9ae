/** An exporter in a process of its own, so that it can be killed at any moment. Told what to do by messages. */

import { readFileSync } from 'node:fs';
import { vantagePointKey } from '../../src/bgp/vantage-point.ts';
import { loadConfig } from '../../src/config/config.ts';
import { startExporter } from '../../src/exporter.ts';
import { createLogger } from '../../src/logger.ts';
import type { Scale } from './scaled-timers.ts';
import { scaledTimers } from './scaled-timers.ts';

export interface ProcessSetup {
  readonly configFile: string;
  readonly scale: Scale;
}

export type Ask = 'routes' | 'metrics' | 'compare' | 'reload' | 'set_clock' | 'stop';

/** What the parent sends. `byMs`: by how much `set_clock` sets the clock of the machine, forward or back. */
export interface Question {
  readonly ask: Ask;
  readonly byMs?: number;
}

export interface Answer {
  readonly ask: Ask | 'started';
  readonly text: string;
  readonly routes?: readonly string[];
}

const setup = JSON.parse(process.argv[2]) as ProcessSetup;
const reloadConfig = () =>
  loadConfig({
    flags: { 'config.file': setup.configFile },
    env: {},
    readFile: (path) => readFileSync(path, 'utf8'),
  });
const config = reloadConfig();
const logger = createLogger({
  level: 'debug',
  format: 'logfmt',
  destination: process.stderr,
  secrets: config.bgproutes.apiKeys,
});
const timers = scaledTimers(setup.scale);
const exporter = await startExporter(config, {
  logger,
  version: { version: '0.0.0', revision: 'test', nodeVersion: process.versions.node },
  timers,
  reloadConfig,
});

/** Each route that the table holds, as one line. */
function routes(): string[] {
  const lines: string[] = [];
  const { table } = exporter;
  for (const state of table.prefixes.states()) {
    for (let number = 0; number < table.vps.end; number++) {
      const vp = table.vps.get(number);
      const cell = table.cells.find(state, number);
      const path = cell === -1 ? 0 : table.cells.path(cell);
      if (vp !== undefined && path !== 0)
        lines.push(`${vantagePointKey(vp)} | ${state.prefix.text} | ${table.paths.text(path)}`);
    }
  }
  return lines;
}

async function answer({ ask, byMs = 0 }: Question): Promise<Answer> {
  if (ask === 'routes') return { ask, text: '', routes: routes() };
  if (ask === 'metrics') return { ask, text: (await exporter.render('text')).toString() };
  if (ask === 'reload') {
    const refusal = await exporter.reload().catch((error: unknown) => String(error));
    return { ask, text: refusal ?? '' };
  }
  if (ask === 'set_clock') timers.setClock(byMs);
  else if (ask === 'compare') await exporter.compare();
  else await exporter.stop();
  return { ask, text: '' };
}

process.on('message', (question: Question) => {
  void answer(question).then((message) =>
    process.send?.(message, () => question.ask === 'stop' && process.disconnect()),
  );
});
// Without its parent it has nothing to do.
process.on('disconnect', () => process.exit(0));
process.send?.({ ask: 'started', text: '' } satisfies Answer);
