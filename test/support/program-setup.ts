/** Runs once before all test files: no test waits for the compiler, nor is cut off by its time limit because of it. */
import { buildProgram } from './program.ts';

export function setup(): void {
  buildProgram();
}
