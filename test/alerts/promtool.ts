/** promtool, which reads what is shipped for Prometheus. */
import { execFile } from 'node:child_process';
import { ALERTS_FOLDER } from './rules-file.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  /** Both streams. */
  readonly output: string;
}

/** Runs a program of Prometheus (promtool, amtool) in the folder of the rules, behind tests that must be in time. */
export function run(program: string, ...parameters: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    // promtool makes garbage fast: a collector that runs less often saves a quarter of its time, for some hundred megabytes.
    const env = { ...process.env, GOGC: '800' };
    execFile(
      'nice',
      ['-n', '10', program, ...parameters],
      { cwd: ALERTS_FOLDER, env, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        resolve({
          code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
          stdout,
          output: stdout + stderr,
        });
      },
    );
  });
}
