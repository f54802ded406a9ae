/**
 * What must agree before a release: `node release/check.ts v0.2.0 https://HOST/OWNER/REPOSITORY`. Prints what does not, and exits with 1.
 * It imports nothing but Node's modules, so that Node 24 runs it before anything is installed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Release {
  readonly manifest: {
    readonly version: string;
    readonly homepage: string;
    readonly repository: { readonly url: string };
    readonly bugs: { readonly url: string };
  };
  readonly lockVersion: string;
  readonly changelog: string;
  /** Text of the chart's Chart.yaml; undefined while there is no chart. */
  readonly chart: string | undefined;
}

export function readRelease(): Release {
  const file = (path: string): URL => new URL(`../${path}`, import.meta.url);
  const chart = file('deploy/helm/bgproutes-exporter/Chart.yaml');
  return {
    manifest: JSON.parse(readFileSync(file('package.json'), 'utf8')) as Release['manifest'],
    lockVersion: (JSON.parse(readFileSync(file('package-lock.json'), 'utf8')) as { version: string }).version,
    changelog: readFileSync(file('CHANGELOG.md'), 'utf8'),
    chart: existsSync(chart) ? readFileSync(chart, 'utf8') : undefined,
  };
}

/** Releases that the changelog tells of, in its order: the newest first. `Unreleased` is not one. */
export function releasesOf(changelog: string): readonly { readonly version: string; readonly date: string }[] {
  const headings = changelog.matchAll(/^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$/gm);
  return [...headings].map(([, version = '', date = '']) => ({ version, date }));
}

/**
 * What a release would get wrong, in sentences; empty when it may go on.
 * @param tag Such as `v0.2.0`.
 * @param repository Such as `https://github.com/OWNER/bgproutes-exporter`: npm takes the provenance of no other than package.json names.
 */
export function problemsOf(tag: string, repository: string, release: Release): string[] {
  const { manifest, lockVersion, changelog, chart } = release;
  const { version } = manifest;
  const problems: string[] = [];
  if (tag !== `v${version}`) problems.push(`The tag is ${tag}, and package.json has the version ${version}.`);
  if (lockVersion !== version) {
    problems.push(`package-lock.json has the version ${lockVersion}, and package.json ${version}.`);
  }
  const newest = releasesOf(changelog)[0]?.version ?? 'none';
  if (newest !== version)
    problems.push(`The newest release of CHANGELOG.md is ${newest}, and package.json has ${version}.`);
  const unreleased = /^## Unreleased\n([\s\S]*?)(?=^## )/m.exec(changelog)?.[1] ?? '';
  if (unreleased.trim() !== '')
    problems.push('CHANGELOG.md has changes under Unreleased: they belong to this release.');
  const addresses = [
    ['repository.url', manifest.repository.url, `git+${repository}.git`],
    ['homepage', manifest.homepage, `${repository}#readme`],
    ['bugs.url', manifest.bugs.url, `${repository}/issues`],
  ];
  for (const [key, address, expected] of addresses) {
    if (address !== expected) {
      problems.push(`${key} of package.json is ${address}, expected ${expected}: see "A release" in CONTRIBUTING.md.`);
    }
  }
  for (const key of chart === undefined ? [] : ['version', 'appVersion']) {
    const value = new RegExp(`^${key}: "?([^"\\n]*)"?$`, 'm').exec(chart ?? '')?.[1];
    if (value !== version) problems.push(`${key} of Chart.yaml is ${value}, and package.json has ${version}.`);
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [tag, repository] = process.argv.slice(2);
  if (tag === undefined || repository === undefined) {
    console.error('usage: node release/check.ts TAG REPOSITORY');
    process.exit(2);
  }
  const problems = problemsOf(tag, repository, readRelease());
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
