/** What runs: the labels of `bgp_exporter_build_info` and the answer to `--version`. */
import { readFileSync } from 'node:fs';

/** Version, commit and runtime. */
export interface BuildInfo {
  /** The version in package.json. */
  readonly version: string;
  /** Git commit that it was built from, with `-dirty` when files were changed; `unknown` when the build did not say. */
  readonly revision: string;
  /** Without the `v`. */
  readonly nodeVersion: string;
}

/**
 * `env` may name the commit in BGPROUTES_EXPORTER_REVISION, as the container image does; npm notes it in a package that is
 * published, and a build in a clone beside this file.
 */
export function buildInfo(env: Readonly<Record<string, string | undefined>>): BuildInfo {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version, gitHead } = JSON.parse(text) as { version: string; gitHead?: string };
  return {
    version,
    revision: env.BGPROUTES_EXPORTER_REVISION || gitHead || builtRevision() || 'unknown',
    nodeVersion: process.versions.node,
  };
}

function builtRevision(): string | undefined {
  try {
    const text = readFileSync(new URL('./revision.json', import.meta.url), 'utf8');
    return (JSON.parse(text) as { revision?: string }).revision;
  } catch {
    return undefined; // not built in a clone
  }
}

/** Lines as the Prometheus programs print them. */
export function formatVersion({ version, revision, nodeVersion }: BuildInfo): string {
  return `bgproutes-exporter, version ${version} (revision: ${revision})
  node version:     v${nodeVersion}
  platform:         ${process.platform}/${process.arch}`;
}
