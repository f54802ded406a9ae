/**
 * Writes NOTICE: what the exporter runs with, by whom, under which licence. `npm run notice`, after a change of dependencies; a test says
 * when the file is stale. Names and licences are those of package-lock.json, copyright lines those of node_modules.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Licences that a package may have which users get: each allows use in any program, and asks for no more than its text and the names of
 * its authors. Another licence is a decision, and belongs here with its reason.
 */
export const ALLOWED_LICENCES: readonly string[] = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

/** A package of package-lock.json. */
export interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

/** By their place, such as `node_modules/ws`; the project itself has an empty one. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

interface ProductionPackage {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** `none` where the package does not say. */
  readonly licence: string;
}

const ROOT = new URL('../', import.meta.url);
export const NOTICE = new URL('NOTICE', ROOT);

export function lockedPackages(): LockedPackages {
  const lock = JSON.parse(readFileSync(new URL('package-lock.json', ROOT), 'utf8')) as { packages: LockedPackages };
  return lock.packages;
}

/** Dependencies of the development whose code the build puts into what users get: the script of the page. */
const BUNDLED: readonly string[] = ['node_modules/uplot'];

/** Those that users get, by name. */
export function productionPackages(packages: LockedPackages): readonly ProductionPackage[] {
  return Object.entries(packages)
    .filter(
      ([path, { dev, devOptional }]) => BUNDLED.includes(path) || (path !== '' && dev !== true && devOptional !== true),
    )
    .map(([path, { version, license }]) => {
      return { path, name: path.replace(/^.*node_modules\//, ''), version, licence: license ?? 'none' };
    })
    .sort((a, b) => compare(a.name, b.name) || compare(a.path, b.path));
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Those whose licence is not allowed, as `name version: licence`. */
export function refusedPackages(packages: LockedPackages): readonly string[] {
  return productionPackages(packages)
    .filter(({ licence }) => !ALLOWED_LICENCES.includes(licence))
    .map(({ name, version, licence }) => `${name} ${version}: ${licence}`);
}

/** The first line of a package's licence that says whose the copyright is; undefined where none does. */
function copyrightOf(folder: URL): string | undefined {
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(?:licen[cs]e|copying|notice)/i.test(entry.name))
    .map(({ name }) => name)
    .sort();
  const lines = files.flatMap((file) => readFileSync(new URL(file, folder), 'utf8').split('\n'));
  // The Apache License speaks of copyright lines, and shows how to write one.
  const ofLicence = /\[yyyy\]|copyright (?:owner|license|notice|statement|holder)/i;
  return lines
    .map((line) => line.trim())
    .find((line) => /^(?:portions )?copyright\b.*\S/i.test(line) && !ofLicence.test(line));
}

/** The text of NOTICE. */
export function notice(packages: LockedPackages): string {
  const parts = productionPackages(packages).map(({ path, name, version, licence }) => {
    const copyright = copyrightOf(new URL(`${path}/`, ROOT));
    return `${name} ${version} (${licence})\n${copyright === undefined ? '' : `  ${copyright}\n`}`;
  });
  return `bgproutes-exporter
Copyright the contributors of bgproutes-exporter, licensed under the Apache License 2.0 (LICENSE).

It runs with the packages below. npm installs them beside it, and the image contains them, each with its licence in its folder.
Written by \`npm run notice\`.

${parts.join('')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const refused = refusedPackages(lockedPackages());
  for (const each of refused) console.error(`licence not allowed: ${each}`);
  writeFileSync(NOTICE, notice(lockedPackages()));
  process.exitCode = refused.length === 0 ? 0 : 1;
}
