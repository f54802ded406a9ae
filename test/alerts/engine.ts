/**
 * Real programs for the tests. Images are named by the environment, with upstream's as defaults. Without a container
 * engine, or without promtool, the tests fail in CI; elsewhere they are skipped, and say so.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export const IMAGES = {
  prometheus: process.env.PROMETHEUS_IMAGE ?? 'prom/prometheus:v3.5.0',
  alertmanager: process.env.ALERTMANAGER_IMAGE ?? 'prom/alertmanager:v0.28.1',
} as const;

// Its helper image cannot be had everywhere; the tests stop what they start.
process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';

/** Says that something is not there. @throws in CI */
export function missing(what: string): false {
  const text = `${what}: the tests that need it prove nothing on this machine`;
  if (process.env.CI === 'true') throw new Error(text);
  console.warn(`\n*** SKIPPED: no ${text} ***\n`);
  return false;
}

/** Whether containers can be run here. @throws in CI when they cannot */
export function hasEngine(): boolean {
  if (process.env.DOCKER_HOST !== undefined || existsSync('/var/run/docker.sock')) return true;
  return missing('container engine');
}

/** Whether a program answers here when it is `asked`. @throws in CI when it does not */
export function hasProgram(name: string, asked = '--version'): boolean {
  try {
    execFileSync(name, [asked], { stdio: 'ignore' });
    return true;
  } catch {
    return missing(name);
  }
}
