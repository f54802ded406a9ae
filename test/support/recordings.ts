/** Recordings of real BGP data. They lie beside the project, not in it, and may be missing: then own fixtures stand in. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FOLDER = process.env.BGP_RECORDINGS ?? join(import.meta.dirname, '../../../shared/data');
const FIXTURES = join(import.meta.dirname, '../fixtures');

/** The path of a recording, or undefined when it is not there. */
export function recordingPath(name: string): string | undefined {
  const path = join(FOLDER, name);
  return existsSync(path) ? path : undefined;
}

export function fixturePath(name: string): string {
  return join(FIXTURES, name);
}

/** Lines of a JSONL file, gunzipped when its name says so. */
export function readLines(path: string): string[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}
