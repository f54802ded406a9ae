/** What a release needs, and what the project says of its own addresses and of the licences of others. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problemsOf, type Release, readRelease, releasesOf } from '../../release/check.ts';
import { type LockedPackages, lockedPackages, NOTICE, notice, refusedPackages } from '../../release/notice.ts';

const REPOSITORY = 'https://code.example.net/us/bgproutes-exporter';
const RELEASE: Release = {
  manifest: {
    version: '1.2.0',
    homepage: `${REPOSITORY}#readme`,
    repository: { url: `git+${REPOSITORY}.git` },
    bugs: { url: `${REPOSITORY}/issues` },
  },
  lockVersion: '1.2.0',
  changelog: '# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-05-01\n\n* New.\n\n## 1.1.0 - 2026-04-01\n',
  chart: 'name: bgproutes-exporter\nversion: 1.2.0\nappVersion: "1.2.0"\n',
};

function problems(changes: Partial<Release>, tag = 'v1.2.0', repository = REPOSITORY): string[] {
  return problemsOf(tag, repository, { ...RELEASE, ...changes });
}

describe('a release', () => {
  it('goes on when everything agrees, with a chart and without', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ chart: undefined })).toEqual([]);
  });

  it.each<[string, string[], string[]]>([
    ['the tag', problems({}, 'v1.2.1'), ['The tag is v1.2.1, and package.json has the version 1.2.0.']],
    [
      'the lockfile',
      problems({ lockVersion: '1.1.0' }),
      ['package-lock.json has the version 1.1.0, and package.json 1.2.0.'],
    ],
    [
      'the changelog',
      problems({ changelog: '# Changelog\n\n## Unreleased\n\n* New.\n\n## 1.1.0 - 2026-04-01\n' }),
      [
        'The newest release of CHANGELOG.md is 1.1.0, and package.json has 1.2.0.',
        'CHANGELOG.md has changes under Unreleased: they belong to this release.',
      ],
    ],
    [
      'the chart',
      problems({ chart: 'version: 1.2.0\nappVersion: "1.1.0"\n' }),
      ['appVersion of Chart.yaml is 1.1.0, and package.json has 1.2.0.'],
    ],
  ])('stops when %s does not agree', (_, found, expected) => expect(found).toEqual(expected));

  it('stops while the addresses are those of somebody else, or nobody', () => {
    const found = problems({}, 'v1.2.0', 'https://code.example.net/fork/bgproutes-exporter');
    expect(found.map((line) => line.split(' ')[0])).toEqual(['repository.url', 'homepage', 'bugs.url']);
  });
});

describe('the changelog', () => {
  const { changelog, manifest } = readRelease();

  it('begins with what is not released, then has releases with their dates, the newest first', () => {
    const headings = changelog.match(/^## .*$/gm) ?? [];
    expect(headings[0]).toBe('## Unreleased');
    const releases = releasesOf(changelog);
    expect(headings.slice(1)).toEqual(releases.map(({ version, date }) => `## ${version} - ${date}`));
    const order = releases.map(({ version }) => version);
    expect(order).toEqual(order.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true })));
    // The version of package.json is the newest release, or the next one.
    for (const version of order)
      expect(manifest.version.localeCompare(version, 'en', { numeric: true })).toBeGreaterThanOrEqual(0);
  });

  it('is of the version that package.json, the lockfile and the chart have', () => {
    const { lockVersion, chart } = readRelease();
    expect(lockVersion).toBe(manifest.version);
    for (const key of ['version', 'appVersion']) {
      if (chart !== undefined) expect(chart).toMatch(new RegExp(`^${key}: "?${manifest.version}"?$`, 'm'));
    }
  });
});

describe('licences of what users get', () => {
  it('are all allowed', () => expect(refusedPackages(lockedPackages())).toEqual([]));

  it('are refused when they ask for more, are unknown or missing; those of what only builds and tests are not asked for', () => {
    const packages: LockedPackages = {
      '': { version: '1.0.0' },
      'node_modules/free': { version: '1.0.0', license: 'MIT' },
      'node_modules/shared': { version: '2.0.0', license: 'GPL-3.0-only' },
      'node_modules/free/node_modules/odd': { version: '3.0.0', license: 'SEE LICENSE IN odd.txt' },
      'node_modules/silent': { version: '4.0.0' },
      'node_modules/builds': { version: '5.0.0', license: 'GPL-3.0-only', dev: true },
    };
    expect(refusedPackages(packages)).toEqual([
      'odd 3.0.0: SEE LICENSE IN odd.txt',
      'shared 2.0.0: GPL-3.0-only',
      'silent 4.0.0: none',
    ]);
  });

  it('are in NOTICE, as `npm run notice` writes it', () => {
    expect(readFileSync(NOTICE, 'utf8')).toBe(notice(lockedPackages()));
  });
});
