#!/usr/bin/env node
/**
 * Where the process begins: signals first, everything else after them. As process 1 of a container a signal that nobody
 * handles is lost, so nothing may be loaded before they are handled: this file has no static imports.
 */

/** `npm run` passes Ctrl-C on although the terminal has sent it already: signals this close are one. */
const SAME_SIGNAL_MS = 300;

const stop = new AbortController();
let firstSignalAtMs: number | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const nowMs = performance.now();
    firstSignalAtMs ??= nowMs;
    if (!stop.signal.aborted) stop.abort();
    else if (nowMs - firstSignalAtMs > SAME_SIGNAL_MS) process.exit(1);
  });
}

// A signal that has come already is heard in the next turn of the event loop. Node 24 loads modules without one.
await new Promise((resolve) => setImmediate(resolve));
const { tooManyFiles } = await import('./errors/open-files.ts');
const { runProcess } = await import('./command-line.ts').catch((error: unknown) => {
  const reason = tooManyFiles(error);
  if (reason === undefined) throw error;
  process.stderr.write(`bgproutes-exporter: ${reason}\n`);
  process.exit(1);
});
await runProcess(stop.signal);
