/** Every case of the rules at two or more sites of equal `job` and `instance`: each alert once a site, and none at the site that is well. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasProgram } from '../alerts/engine.ts';
import { manySiteTestFiles, twoSiteTestFiles } from '../alerts/generate.ts';
import { ALERTS_FOLDER } from '../alerts/rules-file.ts';

describe.skipIf(!hasProgram('promtool'))('rules at several sites', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-sites-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([...twoSiteTestFiles(ALERTS_FOLDER), ...manySiteTestFiles(ALERTS_FOLDER)])('%s', async (name, text) => {
    writeFileSync(join(folder, name), text);
    const output = await new Promise<string>((resolve) => {
      execFile('promtool', ['test', 'rules', join(folder, name)], { maxBuffer: 64 << 20 }, (_, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
    expect(output).not.toContain('FAILED');
    expect(output).toContain('SUCCESS');
  });
});
