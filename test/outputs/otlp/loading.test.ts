import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Packages that a fresh process has loaded after importing these files. */
async function loadedPackages(...files: readonly string[]): Promise<ReadonlySet<string>> {
  const code = `
    import { createRequire } from 'node:module';
    for (const file of ${JSON.stringify(files)}) await import(file);
    const paths = Object.keys(createRequire(process.cwd() + '/').cache);
    console.log(JSON.stringify(paths.map((path) => /.*node_modules[\\\\/]((?:@[^\\\\/]+[\\\\/])?[^\\\\/]+)/.exec(path)?.[1])));
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return new Set(JSON.parse(stdout) as string[]);
}

describe('the OpenTelemetry SDK', () => {
  it('is not loaded while OTLP is off, and would be seen here', async () => {
    const plain = await loadedPackages('./src/exporter.ts', './src/commands/serve.ts');
    expect([...plain]).toContain('prom-client');
    // prom-client brings the API, which is small.
    const allowed = new Set(['@opentelemetry/api']);
    expect([...plain].filter((name) => name?.startsWith('@opentelemetry/') && !allowed.has(name))).toEqual([]);
    expect([...(await loadedPackages('./src/outputs/otlp/setup.ts'))]).toContain('@opentelemetry/sdk-node');
  });
});
