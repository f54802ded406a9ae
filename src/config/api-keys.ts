/**
 * The API keys: from the flag's files, else from the configuration file (its keys, then its key files), else from the
 * environment. No key and no content of a key file is ever part of a message.
 */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { EXPECTED_KEY, keyFault } from '../secrets/api-key.ts';
import type { Environment } from './file/substitution.ts';
import { fileFault } from './file/text-file.ts';

/** Reads a whole text file; throws as `node:fs` does. */
export type ReadFile = (path: string) => string;

/** A key or a file of keys, and where it was configured. */
export interface KeyEntry {
  readonly place: string;
  readonly kind: 'key' | 'file';
  readonly value: string;
  /** How the file is written in the configuration; only where it cannot be a key that was put in the wrong place. */
  readonly shown?: string | undefined;
}

/** A path as it is written, unless it might be a key: a path names a folder that is there. */
export function shownPath(written: string, path: string): string | undefined {
  return /[/\\]/.test(written) && existsSync(dirname(path)) ? written : undefined;
}

export interface ApiKeys {
  readonly keys: readonly string[];
  readonly problems: readonly string[];
}

/** The end of the message about a missing key. */
export const KEYLESS_HINT = '; --source=ris-live needs no key';
const NO_KEY = `no API key: set BGP_API_KEY or BGP_API_KEY_FILE, or give --bgproutes.api-key-file, or bgproutes.api_keys or bgproutes.api_key_files in a configuration file${KEYLESS_HINT}`;

/** The environment's entries, for when neither flag nor file has any; or what is wrong with them. */
export function keysOfEnvironment(env: Environment): readonly KeyEntry[] | { readonly problem: string } {
  const { BGP_API_KEY: key, BGP_API_KEY_FILE: file } = env;
  // An empty variable counts as unset where the other one is set: container tools pass on variables nobody has set.
  if (key && file) return { problem: 'BGP_API_KEY and BGP_API_KEY_FILE are both set, expected one of them' };
  if (key) return [{ place: 'BGP_API_KEY', kind: 'key', value: key.trim() }];
  if (file) return [{ place: 'BGP_API_KEY_FILE', kind: 'file', value: file, shown: shownPath(file, file) }];
  if (key === '') return { problem: 'BGP_API_KEY: expected an API key, got an empty text' };
  if (file === '') return { problem: 'BGP_API_KEY_FILE: expected the path of a file, got an empty text' };
  return { problem: NO_KEY };
}

/** Reads all key files. The same key twice is a problem: the service allows one session a key. */
export function collectKeys(entries: readonly KeyEntry[], readFile: ReadFile): ApiKeys {
  const problems: string[] = [];
  const placeByKey = new Map<string, string>();
  for (const entry of entries) {
    for (const { key, place } of entry.kind === 'key' ? [{ key: entry.value, place: entry.place }] : linesOf(entry)) {
      const first = placeByKey.get(key);
      const fault = keyFault(key);
      if (fault !== undefined) problems.push(`${place}: expected ${EXPECTED_KEY}; ${fault}`);
      else if (first !== undefined) {
        problems.push(`${place}: the same key as ${first}; a key carries one session, so each must be another one`);
      } else {
        placeByKey.set(key, place);
      }
    }
  }
  return { keys: [...placeByKey.keys()], problems };

  function linesOf(entry: KeyEntry): { key: string; place: string }[] {
    const path = entry.shown === undefined ? '' : ` ${entry.shown}`;
    let content: string;
    try {
      content = readFile(entry.value);
    } catch (error) {
      problems.push(`${entry.place}: the key file${path} cannot be read: ${fileFault(error)}`);
      return [];
    }
    const lines = content
      .split(/\r?\n/)
      .map((line, i) => ({ key: line.trim(), place: `${entry.place}, line ${i + 1}` }));
    const filled = lines.filter(({ key }) => key !== '');
    if (filled.length === 0) problems.push(`${entry.place}: the key file${path} is empty`);
    return filled.length === 1 ? [{ key: filled[0].key, place: entry.place }] : filled;
  }
}

/** A path of the configuration file starts at the file's folder. */
export function resolvePath(configFile: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(configFile), path);
}
