/** The page that the alerts lead to. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readRunbook } from '../../src/outputs/runbook.ts';
import { ALERTS } from '../alerts/rules-file.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'runbook-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As the last step of a build writes it. */
function rendered(): string {
  const file = join(folder, 'runbook.html');
  execFileSync(process.execPath, [join(ROOT, 'build-runbook.js'), file]);
  return readFileSync(file, 'utf8');
}

const page = rendered();
const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);

describe('the runbook', () => {
  it('has a place for every alert, by its name and by its name in small letters', () => {
    const names = [...new Set(ALERTS.map(({ alert }) => alert!))];
    expect(names.length).toBeGreaterThan(30);
    expect(ids.toSorted()).toEqual(names.flatMap((name) => [name, name.toLowerCase()]).toSorted());
  });

  it('leads only to places that it has, and to no document that the exporter does not serve', () => {
    const targets = [...page.matchAll(/ href="([^"]+)"/g)].map(([, target]) => target!);
    expect(targets.length).toBeGreaterThan(60);
    expect(targets.filter((target) => !target.startsWith('#') || !ids.includes(target.slice(1)))).toEqual([]);
    expect(page).toContain('docs/alerts.md');
  });

  it('loads and runs nothing, by its own policy', () => {
    expect(page).toMatch(/<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-/);
    expect(page).not.toMatch(/<(?:script|img|link|iframe)\b/);
  });

  it('is read where the build has written it, and missed where it has not', async () => {
    const file = pathToFileURL(join(folder, 'runbook.html'));
    expect((await readRunbook(file))?.toString()).toBe(page);
    expect(await readRunbook(pathToFileURL(join(folder, 'elsewhere.html')))).toBeUndefined();
    await expect(readRunbook(pathToFileURL(folder))).rejects.toThrow('EISDIR');
  });
});
