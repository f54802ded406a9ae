/** The parent's side of exporter-process.ts. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, Ask, ProcessSetup, Question } from './exporter-process.ts';

const SCRIPT = fileURLToPath(new URL('./exporter-process.ts', import.meta.url));

/** Samples of a scrape by their full name with labels. */
export type Samples = ReadonlyMap<string, number>;

export class ExporterHandle {
  readonly #child: ChildProcess;
  /** The last lines of its log, for a failure's report. */
  readonly log: string[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log.push(...text.trimEnd().split('\n'));
      this.log.splice(0, Math.max(0, this.log.length - 400));
    });
  }

  static async start(setup: ProcessSetup): Promise<ExporterHandle> {
    const child = fork(SCRIPT, [JSON.stringify(setup)], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const handle = new ExporterHandle(child);
    await handle.#answer('started');
    return handle;
  }

  /** SIGKILL, at once. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    await this.#ask('stop');
    await gone;
  }

  async compare(): Promise<void> {
    await this.#ask('compare');
  }

  /** Gives why it was refused; empty when it was not. */
  async reload(): Promise<string> {
    return (await this.#ask('reload')).text;
  }

  /** Sets the clock of its machine, until it is started again. */
  async setClock(byMs: number): Promise<void> {
    await this.#ask('set_clock', byMs);
  }

  async routes(): Promise<readonly string[]> {
    return (await this.#ask('routes')).routes ?? [];
  }

  async samples(): Promise<Samples> {
    const { text } = await this.#ask('metrics');
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
  }

  #ask(ask: Ask, byMs?: number): Promise<Answer> {
    const answer = this.#answer(ask);
    this.#child.send({ ask, ...(byMs !== undefined && { byMs }) } satisfies Question);
    return answer;
  }

  #answer(ask: Answer['ask']): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const onMessage = (answer: Answer) => {
        if (answer.ask !== ask) return;
        this.#child.off('message', onMessage).off('exit', onExit);
        resolve(answer);
      };
      const onExit = () =>
        reject(new Error(`the exporter ended before it answered "${ask}":\n${this.log.slice(-20).join('\n')}`));
      this.#child.on('message', onMessage).on('exit', onExit);
    });
  }
}

/** The sum of all samples of a metric whose labels contain all of these texts. */
export function sum(samples: Samples, metric: string, ...labels: readonly string[]): number {
  let total = 0;
  for (const [name, value] of samples) {
    if ((name === metric || name.startsWith(`${metric}{`)) && labels.every((label) => name.includes(label)))
      total += value;
  }
  return total;
}
