/**
 * A real OpenTelemetry Collector for a test: an image named by BGP_TEST_COLLECTOR_IMAGE; without that, one built with the Go
 * toolchain through the collector builder and kept between runs; without a Go, the upstream image. Images are run by
 * testcontainers. Where none can be had, `startCollector` throws and says why: without a collector nothing is proven.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GenericContainer, Wait } from 'testcontainers';
import { freePort } from '../../support/free-port.ts';

const MANIFEST = readFileSync(fileURLToPath(new URL('builder.yaml', import.meta.url)), 'utf8');
const CONFIG = readFileSync(fileURLToPath(new URL('collector.yaml', import.meta.url)), 'utf8');

/** As in the manifest. */
const VERSION = /version: ([0-9.]+)/.exec(MANIFEST)?.[1] ?? '';

/** Has all that the manifest has, and more. */
const UPSTREAM_IMAGE = `otel/opentelemetry-collector-contrib:${VERSION}`;

/** Older ones do not know GOTOOLCHAIN, by which they get the Go that the modules ask for. */
const OLDEST_GO = [1, 21] as const;

export interface Collector {
  /** What to configure as OTLP endpoint. */
  readonly endpoint: string;
  /** The page of its Prometheus exporter. */
  scrape(): Promise<Buffer>;
  /** Requests received so far, one JSON text each, as its file exporter wrote them. */
  received(): readonly string[];
  /** What it logged: warnings and errors. */
  log(): string;
  stop(): Promise<void>;
}

/** What is run: an image that was named; else one that is built where there is a Go; else the upstream one. */
export async function startCollector(): Promise<Collector> {
  const { BGP_TEST_COLLECTOR_IMAGE: image } = process.env;
  if (image) return startContainer(image);
  const go = goVersion();
  if (typeof go !== 'string') return startProcess(await program());
  try {
    return await startContainer(UPSTREAM_IMAGE);
  } catch (error) {
    throw new Error(`no OpenTelemetry Collector can be had: ${go}; ${String(error)}`, { cause: error });
  }
}

/** Builds the collector ahead, if it is one that is built and not there yet: it takes longer than a test may. */
export async function prepareCollector(): Promise<void> {
  if (!process.env.BGP_TEST_COLLECTOR_IMAGE && typeof goVersion() !== 'string') await program();
}

// --- built -------------------------------------------------------------------------------------------------------------

/** The path of the collector; builds it (minutes) when there is none of this manifest. */
async function program(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bgproutes-exporter');
  const hash = createHash('sha256')
    .update(`${MANIFEST} ${process.platform} ${process.arch}`)
    .digest('hex')
    .slice(0, 16);
  const path = join(cache, `otelcol-${VERSION}-${hash}`);
  if (existsSync(path)) return path;
  console.warn(`building the OpenTelemetry Collector ${VERSION}: some minutes, then kept in ${path}`);
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'building-'));
  try {
    writeFileSync(join(folder, 'builder.yaml'), MANIFEST);
    const builder = `go.opentelemetry.io/collector/cmd/builder@v${VERSION}`;
    const env = {
      ...process.env,
      CGO_ENABLED: '0',
      // A Go that is older than the modules want gets a newer one through the module proxy.
      GOTOOLCHAIN: 'auto',
      // -e: packages that only the tests of a module need may be missing at a proxy.
      GOFLAGS: `${process.env.GOFLAGS ?? ''} -mod=mod -e`.trim(),
    };
    await promisify(execFile)('go', ['run', builder, '--config=builder.yaml'], {
      cwd: folder,
      env,
      maxBuffer: 2 ** 26,
    });
    // Renamed, not copied: a run beside this one finds all of it or nothing.
    copyFileSync(join(folder, 'build', 'otelcol'), join(folder, 'otelcol'));
    renameSync(join(folder, 'otelcol'), path);
    return path;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const reason = stderr
      .split('\n')
      .filter((line) => !line.startsWith('go: downloading'))
      .slice(-20)
      .join('\n');
    throw new Error(`the OpenTelemetry Collector could not be built: ${reason || String(error)}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Or why it cannot be used. */
function goVersion(): readonly [number, number] | string {
  const wanted = `to build one needs Go ${OLDEST_GO.join('.')} or later`;
  const { stdout, error } = spawnSync('go', ['version'], { encoding: 'utf8' });
  const [, major, minor] = /go version go([0-9]+)\.([0-9]+)/.exec(stdout ?? '') ?? [];
  if (major === undefined) return `${wanted}, and there is none (${error?.message ?? stdout})`;
  const version = [Number(major), Number(minor)] as const;
  const isOld = version[0] < OLDEST_GO[0] || (version[0] === OLDEST_GO[0] && version[1] < OLDEST_GO[1]);
  return isOld ? `${wanted}, and this is ${stdout.trim()}` : version;
}

async function startProcess(path: string): Promise<Collector> {
  const folder = mkdtempSync(join(tmpdir(), 'otelcol-'));
  const file = join(folder, 'received.json');
  const [otlpPort, prometheusPort] = [await freePort(), await freePort()];
  const config = join(folder, 'collector.yaml');
  writeFileSync(config, configText('127.0.0.1', otlpPort, prometheusPort, file));
  const child = spawn(path, [`--config=${config}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const scrape = () => page(`http://127.0.0.1:${prometheusPort}/metrics`);
  await ready(scrape, () => {
    if (child.exitCode !== null) throw new Error(`the collector ended: ${log}`);
  });
  return {
    endpoint: `http://127.0.0.1:${otlpPort}`,
    scrape,
    received: () => linesOf(file),
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// --- an image ------------------------------------------------------------------------------------------------------------

async function startContainer(image: string): Promise<Collector> {
  // A folder of the host: an image of the collector has no shell to read a file with. Its user is another one.
  const folder = mkdtempSync(join(tmpdir(), 'otelcol-'));
  chmodSync(folder, 0o777);
  const config = join(folder, 'collector.yaml');
  writeFileSync(config, configText('0.0.0.0', 4318, 8889, '/collector/received.json'));
  let log = '';
  const container = await new GenericContainer(image)
    .withExposedPorts(4318, 8889)
    .withBindMounts([{ source: folder, target: '/collector', mode: 'rw' }])
    .withCommand(['--config=/collector/collector.yaml'])
    .withLogConsumer((stream) => stream.on('data', (chunk: Buffer | string) => (log += chunk.toString())))
    // Not for the ports: that is tried from inside as well, with a shell.
    .withWaitStrategy(Wait.forHttp('/metrics', 8889))
    .withStartupTimeout(120_000)
    .start()
    .catch((error: unknown) => {
      rmSync(folder, { recursive: true, force: true });
      const reason = `${String(error)} ${log}`;
      throw new Error(`the OpenTelemetry Collector in ${image} could not be started: ${reason}`, { cause: error });
    });
  const scrape = () => page(`http://${container.getHost()}:${container.getMappedPort(8889)}/metrics`);
  await ready(scrape, () => {});
  const file = join(folder, 'received.json');
  return {
    endpoint: `http://${container.getHost()}:${container.getMappedPort(4318)}`,
    scrape,
    received: () => linesOf(file),
    log: () => log,
    stop: async () => {
      await container.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// --- both ------------------------------------------------------------------------------------------------------------------

function configText(host: string, otlpPort: number, prometheusPort: number, file: string): string {
  const values: Readonly<Record<string, string>> = {
    HOST: host,
    OTLP_PORT: String(otlpPort),
    PROMETHEUS_PORT: String(prometheusPort),
    FILE: file,
  };
  return CONFIG.replace(/\$\{([A-Z_]+)\}/g, (match, name: string) => values[name] ?? match);
}

/** A line is whole when it ends. */
function linesOf(file: string): readonly string[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '');
}

async function page(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${url}: status ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** Waits until it answers. `check` throws when it never will. */
async function ready(scrape: () => Promise<Buffer>, check: () => void): Promise<void> {
  for (const limit = Date.now() + 60_000; ; ) {
    check();
    try {
      await scrape();
      return;
    } catch (error) {
      if (Date.now() > limit) throw error;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}
