/**
 * What `promtool check web-config` and blackbox_exporter, both of Debian, say of the same files: of one opinion wherever they know
 * the keys. Both are made with an exporter-toolkit that is older than inline certificates, allowed SANs and the rate limit.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { filesOfCases, WEB_CASES } from '../config/web/cases.ts';
import { makeCertificate } from '../support/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'web-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const [name, text] of Object.entries(filesOfCases(makeCertificate('server'), makeCertificate('other'))))
  writeFileSync(join(folder, name), text);

const KNOWN = WEB_CASES.filter(({ promtool }) => promtool !== false);
const BLACKBOX = 'prometheus-blackbox-exporter';

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!isThere('promtool'))('promtool check web-config', () => {
  it.each(KNOWN)('$name', ({ yaml, problem, toolkit }) => {
    const file = join(folder, 'web.yml');
    writeFileSync(file, yaml);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'web-config', file], { encoding: 'utf8' });
    expect(status === 0 ? 'right' : 'wrong', stdout + stderr).toBe(
      toolkit ?? (problem === undefined ? 'right' : 'wrong'),
    );
  });
});

/** It looks at the file when it begins to serve: it says whether it has TLS, or ends with what is wrong. */
async function blackboxOn(yaml: string): Promise<{ readonly answer: 'right' | 'wrong'; readonly said: string }> {
  const files = { web: join(folder, 'web.yml'), modules: join(folder, 'blackbox.yml') };
  writeFileSync(files.web, yaml);
  writeFileSync(files.modules, 'modules: {}\n');
  const args = [`--config.file=${files.modules}`, `--web.config.file=${files.web}`, '--web.listen-address=127.0.0.1:0'];
  const program = spawn(BLACKBOX, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const answer = await new Promise<'right' | 'wrong'>((resolve) => {
    program.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (/TLS is (?:en|dis)abled/.test(said)) resolve('right');
    });
    program.once('exit', () => resolve('wrong'));
  });
  program.kill('SIGKILL');
  return { answer, said };
}

describe.skipIf(!isThere(BLACKBOX))('blackbox_exporter', () => {
  it.each(KNOWN)('$name', async ({ yaml, problem, toolkit }) => {
    const { answer, said } = await blackboxOn(yaml);
    expect(answer, said).toBe(toolkit ?? (problem === undefined ? 'right' : 'wrong'));
  });
});
