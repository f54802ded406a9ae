/** The project invents no address: its own are placeholders, each of one form everywhere, until somebody owns them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readRelease } from '../../release/check.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { manifest } = readRelease();
/** Without its scheme, as `repository.example/bgproutes-exporter`. */
const REPOSITORY = manifest.repository.url.replace(/^git\+https:\/\//, '').replace(/\.git$/, '');

const texts = filesOf(ROOT)
  .filter(
    (path) => /(?:\.(?:md|ts|js|json|ya?ml|hcl|sh|txt)|Dockerfile|NOTICE)$/.test(path) && path !== 'package-lock.json',
  )
  .map((path) => ({ path, text: readFileSync(ROOT + path, 'utf8') }));

/** What the project consists of, by its path from `root`. */
function filesOf(root: string, folder = ''): readonly string[] {
  const notOurs = new Set(['node_modules', 'dist', '.git', '.cache', 'coverage', 'tmp']);
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return [];
    const path = folder + entry.name;
    return entry.isDirectory() ? filesOf(root, `${path}/`) : entry.isFile() ? [path] : [];
  });
}

function placesOf(pattern: RegExp): readonly (readonly [path: string, found: string])[] {
  return texts.flatMap(({ path, text }) => [...text.matchAll(pattern)].map(([found]) => [path, found] as const));
}

describe('the addresses of the project', () => {
  it('are one repository in package.json', () => {
    expect(manifest.homepage).toBe(`https://${REPOSITORY}#readme`);
    expect(manifest.bugs.url).toBe(`https://${REPOSITORY}/issues`);
  });

  it('lead to a reserved name, or are all the same place that somebody has put there', () => {
    const ours = placesOf(/(?:[\w-]+\.)+[a-z]+(?:\/[\w.-]+)*\/bgproutes-exporter\b/g).filter(
      ([path]) => path !== 'test/package/release.test.ts',
    );
    const repositories = ours.filter(([, found]) => found.startsWith(REPOSITORY));
    expect(repositories.length).toBeGreaterThan(2);
    const images = ours.filter(([, found]) => !found.startsWith(REPOSITORY));
    const registries = new Set(images.map(([, found]) => found.replace(/(?:\/charts)?\/bgproutes-exporter$/, '')));
    if (REPOSITORY.startsWith('repository.example/')) {
      expect(
        [...registries].filter(
          (host) => host !== 'registry.example' && !/^(?:github\.com|ghcr\.io)\/OWNER$/.test(host),
        ),
      ).toEqual([]);
    } else {
      expect(registries.size).toBeLessThanOrEqual(1);
    }
  });

  it('are never those of the service, which does not own this program', () => {
    expect(placesOf(/(?:github\.com|ghcr\.io|docker\.io)\/bgproutes[\w-]*/gi)).toEqual([]);
  });
});
