/** Every case of the rules at one or two sites of several that have equal `job` and `instance`: each alert once a site, and none at the site that is well. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasProgram } from '../alerts/engine.ts';
import { siteTestFiles } from '../alerts/generate.ts';
import { run } from '../alerts/promtool.ts';
import { ALERTS_FOLDER } from '../alerts/rules-file.ts';

describe.skipIf(!hasProgram('promtool'))('rules at several sites', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-sites-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([...siteTestFiles(ALERTS_FOLDER)])('%s', async (name, text) => {
    writeFileSync(join(folder, name), text);
    const { code, output } = await run('promtool', 'test', 'rules', join(folder, name));
    expect(output).toContain('SUCCESS');
    expect(code, output).toBe(0);
  });
});
