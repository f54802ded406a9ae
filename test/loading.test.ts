/** What a start loads, and what it does not: it must be fast, and small. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Packages that a fresh process has loaded after running this module. */
async function loadedPackages(code: string): Promise<readonly (string | undefined)[]> {
  const module = `
    import { createRequire } from 'node:module';
    ${code}
    const paths = Object.keys(createRequire(process.cwd() + '/').cache);
    const names = paths.map((path) => /.*node_modules[\\\\/]((?:@[^\\\\/]+[\\\\/])?[^\\\\/]+)/.exec(path)?.[1]);
    console.log(JSON.stringify([...new Set(names)]));
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', module];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return JSON.parse(stdout) as string[];
}

describe('the OpenTelemetry SDK', () => {
  it('is not loaded while OTLP is off, and would be seen here', async () => {
    const plain = await loadedPackages(
      `await import('./src/exporter.ts'); await import('./src/commands/run/serve.ts');`,
    );
    expect(plain).toContain('prom-client');
    // prom-client brings the API, which is small.
    const allowed = new Set(['@opentelemetry/api']);
    expect(plain.filter((name) => name?.startsWith('@opentelemetry/') && !allowed.has(name))).toEqual([]);
    expect(await loadedPackages(`await import('./src/outputs/otlp/setup.ts');`)).toContain('@opentelemetry/sdk-node');
  });
});

describe('compilers of schemas', () => {
  it('are not loaded by the web server, which has no schemas, and would be seen here', async () => {
    const server = `
      import { startWebServer } from './src/outputs/web-server.ts';
      const silent = { error() {}, warn() {}, info() {}, debug() {} };
      const server = await startWebServer({ listenAt: [{ host: '127.0.0.1', port: 0 }], telemetryPath: '/metrics', logger: silent });
      await server.close();
    `;
    const loaded = await loadedPackages(server);
    expect(loaded).toContain('fastify');
    expect(loaded.filter((name) => name?.includes('ajv'))).toEqual([]);
    expect(await loadedPackages(`import { fastify } from 'fastify'; await fastify().close();`)).toContain('ajv');
  });
});

describe('the package', () => {
  it('loads no web server, and nothing of the exporter, for who reads the stream only', async () => {
    const loaded = await loadedPackages(`await import('./src/index.ts');`);
    expect(loaded).toContain('ws');
    expect(loaded.filter((name) => name === 'fastify' || name === 'prom-client')).toEqual([]);
    const whole = await loadedPackages(`await import('./src/exporter.ts');`);
    expect(whole).toEqual(expect.arrayContaining(['fastify', 'prom-client']));
  });
});
