/** A real Prometheus on a folder of its own, filled before it starts. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import type { Labels } from './worlds.ts';

export interface Series {
  readonly metric: Labels;
  /** Values at the steps of the range; of an instant query one. */
  readonly values: readonly (readonly [seconds: number, value: number])[];
}

export class FilledPrometheus {
  readonly #folder: string;
  readonly #program: ChildProcess;
  readonly url: string;

  private constructor(folder: string, program: ChildProcess, url: string) {
    this.#folder = folder;
    this.#program = program;
    this.url = url;
  }

  /** `openMetrics`: lines of samples with their times, without the end mark. */
  static async start(openMetrics: string): Promise<FilledPrometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
    const path = (name: string) => join(folder, name);
    writeFileSync(path('samples.txt'), `${openMetrics}# EOF\n`);
    writeFileSync(path('prometheus.yml'), '{}');
    execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', path('samples.txt'), path('data')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const address = `127.0.0.1:${await freePort()}`;
    const program = spawn(
      'prometheus',
      [
        `--config.file=${path('prometheus.yml')}`,
        `--storage.tsdb.path=${path('data')}`,
        '--storage.tsdb.retention.time=100y',
        `--web.listen-address=${address}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const filled = new FilledPrometheus(folder, program, `http://${address}`);
    for (;;) {
      if (program.exitCode !== null) throw new Error(`Prometheus ended with exit code ${program.exitCode}`);
      const response = await fetch(`${filled.url}/-/ready`).catch(() => undefined);
      if (response?.ok === true) return filled;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #ask(path: string, parameters: Readonly<Record<string, string>>): Promise<Series[]> {
    // A long query does not fit into an address.
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method: 'POST',
      body: new URLSearchParams(parameters),
    });
    const body = (await response.json()) as {
      status: string;
      error?: string;
      data: { result: { metric: Labels; values?: [number, string][]; value?: [number, string] }[] };
    };
    if (body.status !== 'success') throw new Error(`${body.error}: ${parameters.query}`);
    return body.data.result.map(({ metric, values, value }) => ({
      metric,
      values: (values ?? [value!]).map(([seconds, text]) => [seconds, Number(text)] as const),
    }));
  }

  instant(query: string, at: number): Promise<Series[]> {
    return this.#ask('query', { query, time: String(at) });
  }

  range(query: string, start: number, end: number, step: number): Promise<Series[]> {
    return this.#ask('query_range', { query, start: String(start), end: String(end), step: String(step) });
  }

  async stop(): Promise<void> {
    this.#program.kill();
    if (this.#program.exitCode === null) await once(this.#program, 'exit');
    rmSync(this.#folder, { recursive: true });
  }
}
