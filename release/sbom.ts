/**
 * Prints the SBOM of a release, in CycloneDX's JSON: `node release/sbom.ts`. npm makes it, of a lockfile that has only what users
 * get. Of the whole one, `npm sbom --omit=dev` leaves out every package that a tool of the development needs too: half of them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { productionPackages } from './notice.ts';

const ROOT = new URL('../', import.meta.url);

type Json = Record<string, unknown>;
type Versions = Readonly<Record<string, string>>;

/** The project without its development; what the build bundles becomes a dependency like any other. */
function asInstalled(root: Json, bundled: readonly string[]): Json {
  const { devDependencies, ...rest } = root as Json & { readonly devDependencies: Versions };
  const extra = Object.fromEntries(bundled.map((name) => [name, devDependencies[name]]));
  return { ...rest, dependencies: { ...(root.dependencies as Versions), ...extra } };
}

/** The text of the SBOM. @throws where npm finds something missing or wrong. */
export function makeSbom(): string {
  const read = (name: string) => JSON.parse(readFileSync(new URL(name, ROOT), 'utf8')) as Json;
  const lock = read('package-lock.json') as Json & { readonly packages: Parameters<typeof productionPackages>[0] };
  const users = productionPackages(lock.packages);
  const bundled = users.filter(({ path }) => lock.packages[path]?.dev === true).map(({ name }) => name);
  const packages = Object.fromEntries(
    users.map(({ path }) => {
      const { dev, ...entry } = lock.packages[path]!;
      return [path, entry];
    }),
  );
  // npm calls what it describes after the folder.
  const parent = mkdtempSync(join(tmpdir(), 'sbom-'));
  const folder = join(parent, String(lock.name));
  try {
    mkdirSync(folder);
    const write = (name: string, value: Json) => writeFileSync(join(folder, name), JSON.stringify(value));
    write('package.json', asInstalled(read('package.json'), bundled));
    const root = asInstalled(lock.packages[''] as unknown as Json, bundled);
    write('package-lock.json', { ...lock, packages: { '': root, ...packages } });
    return execFileSync('npm', ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 16 << 20,
    });
  } finally {
    rmSync(parent, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(makeSbom());
