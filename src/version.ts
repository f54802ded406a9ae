/** What runs: the labels of `bgp_exporter_build_info` and the answer to `--version`. */
import { readFileSync } from 'node:fs';

/** Version, commit and runtime. */
export interface BuildInfo {
  /** Of package.json. */
  readonly version: string;
  /** Git commit that it was built from; `unknown` when the build did not say. */
  readonly revision: string;
  /** Without the `v`. */
  readonly nodeVersion: string;
}

/** `env` may name the commit in BGPROUTES_EXPORTER_REVISION, as the container image does; npm notes it in the package. */
export function buildInfo(env: Readonly<Record<string, string | undefined>>): BuildInfo {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version, gitHead } = JSON.parse(text) as { version: string; gitHead?: string };
  return {
    version,
    revision: env.BGPROUTES_EXPORTER_REVISION || gitHead || 'unknown',
    nodeVersion: process.versions.node,
  };
}

/** One line, as the first line of the Prometheus programs. */
export function formatVersion({ version, revision, nodeVersion }: BuildInfo): string {
  return `bgproutes-exporter, version ${version} (revision: ${revision}, Node: ${nodeVersion})`;
}
