/**
 * Notes in dist/revision.json from which commit dist/ was built, where this folder is a clone; src/version.ts reads it. Runs at
 * the end of `npm run build`.
 */
import { execFileSync } from 'node:child_process';
import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = realpathSync(fileURLToPath(new URL('.', import.meta.url)));
const file = new URL('dist/revision.json', import.meta.url);

/** @param {string[]} args */
function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

rmSync(file, { force: true });
try {
  // A copy without a repository may lie inside somebody else's.
  if (realpathSync(git('rev-parse', '--show-toplevel')) === root) {
    const revision = git('describe', '--always', '--abbrev=40', '--exclude=*', '--dirty');
    writeFileSync(file, `${JSON.stringify({ revision })}\n`);
  }
} catch {
  // Neither git nor a repository is needed for a build.
}
