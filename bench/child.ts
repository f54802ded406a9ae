/** Processes that a bench starts: each has one program, is asked and answers over Node's channel, and ends with us. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

export class Child {
  readonly #name: string;
  readonly #process: ChildProcess;

  /** @param program name of a file of this folder without its ending */
  constructor(program: string, args: readonly string[] = [], execArgv: readonly string[] = []) {
    this.#name = [program, ...args].join(' ');
    this.#process = fork(join(import.meta.dirname, `${program}.js`), args, {
      execArgv: ['--expose-gc', ...execArgv],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** @throws when the process ends instead of answering */
  ask<Answer>(question: unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const gone = (code: number | null) => reject(new Error(`${this.#name} ended with code ${code}`));
      this.#process.once('exit', gone);
      this.#process.once('message', (answer) => {
        this.#process.off('exit', gone);
        resolve(answer as Answer);
      });
      this.#process.send(question as object);
    });
  }

  /** Resolves when it is gone. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#process.exitCode !== null) resolve();
      else {
        this.#process.once('exit', () => resolve());
        this.#process.kill();
      }
    });
  }
}
