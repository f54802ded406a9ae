/** The ways by which the numbers leave an exporter: the text of a scrape, the web server, OTLP. */
import { type Config, hasWebServer } from '../config/config.ts';
import { readOtlpTls } from '../config/otlp/otlp-tls.ts';
import { ConfigError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ExporterFigures } from '../metrics/figures/exporter-figures.ts';
import type { ListenTarget } from '../outputs/listen.ts';
import type { LivePage } from '../outputs/page/live-page.ts';
import type { ExpositionFormat } from '../outputs/text/negotiation.ts';
import { TextWriter } from '../outputs/text/prometheus.ts';
import { WatchedWebConfig } from '../outputs/web/watched-web-config.ts';
import { startWebServer, type WebServer } from '../outputs/web-server.ts';
import type { Readiness } from '../readiness.ts';
import type { BuildInfo } from '../version.ts';
import type { MetricSources } from './metric-sources.ts';

export interface OutputsOptions {
  readonly config: Config;
  readonly metrics: MetricSources;
  readonly page: LivePage | undefined;
  readonly figures: ExporterFigures;
  readonly logger: Logger;
  readonly version: BuildInfo;
  /** Descriptors of the sockets that systemd has handed over. Default: none. */
  readonly systemdSockets?: readonly number[] | undefined;
  readonly ready: () => Readiness;
  readonly reload: () => Promise<void>;
}

/** Time for the last export of an OTLP that a reload replaces. */
const RELOAD_EXPORT_MS = 3_500;

/** What an export through OTLP is made of, its certificates and the way to the collector too. */
function otlpOf({ otlp, proxyUrl }: Config): string {
  return otlp === undefined ? '' : JSON.stringify([otlp, readOtlpTls(otlp), proxyUrl]);
}

export class Outputs {
  readonly #options: OutputsOptions;
  readonly #writers: Readonly<Record<ExpositionFormat, TextWriter>>;
  #web: WebServer | undefined;
  #webConfig: WatchedWebConfig | undefined;
  #otlp: { stop(limitMs: number): Promise<void> } | undefined;
  /** What the export was started with. Holds secrets. */
  #otlpOf = '';

  constructor(options: OutputsOptions) {
    this.#options = options;
    const onError = (error: unknown, metric: { readonly name: string }) =>
      options.logger.error('a metric could not be written', { metric: metric.name, error: String(error) });
    this.#writers = { text: new TextWriter('text', onError), openmetrics: new TextWriter('openmetrics', onError) };
  }

  /** Where the web server listens, first, `host:port` or `unix:/path`; undefined without one. */
  get address(): string | undefined {
    return this.#web?.address;
  }

  async render(format: ExpositionFormat): Promise<Buffer> {
    const { runtime, collect } = this.#options.metrics;
    await runtime.refresh();
    return this.#writers[format].renderInTurns(collect);
  }

  /** @throws ExporterError when the address cannot be listened on or the web configuration is wrong */
  async start(): Promise<void> {
    const { config } = this.#options;
    if (hasWebServer(config)) await this.#startWeb(this.#listenTargets());
    await this.#startOtlp(config);
    this.#otlpOf = otlpOf(config);
  }

  async #startOtlp({ otlp }: Config): Promise<void> {
    if (otlp === undefined) return;
    const { metrics, figures, logger, version } = this.#options;
    const { startOtlp } = await import('../outputs/otlp/setup.ts');
    this.#otlp = await startOtlp(otlp, {
      collect: metrics.collect,
      refresh: () => metrics.runtime.refresh(),
      logger,
      buildInfo: version,
      address: this.#web?.port ? this.#web.address : undefined,
      onExport: (result) => {
        figures.otlpExports[result]++;
      },
    });
  }

  #listenTargets(): readonly ListenTarget[] {
    const { config, systemdSockets = [] } = this.#options;
    const { listenAddresses, systemdSocket } = config.web;
    if (!systemdSocket) return listenAddresses;
    if (systemdSockets.length === 0)
      throw new ConfigError([
        'web.systemd_socket: systemd has handed over no socket to this process; a unit .socket of the same name is needed',
      ]);
    return systemdSockets.map((fd) => ({ fd }));
  }

  /**
   * Looks whether a reload can take what is configured of outputs. The result takes it; it does not reject.
   * @throws ConfigError when a file of the web server or of OTLP is wrong; everything then stays
   */
  prepare(next: Config): (page: LivePage | undefined) => Promise<void> {
    const otlp = otlpOf(next);
    const takeWebConfig = this.#webConfig?.prepare(next.web.configFile);
    return async (page) => {
      takeWebConfig?.();
      await this.#web?.change({ ...next.web, page });
      if (otlp !== this.#otlpOf) await this.#restartOtlp(next);
      this.#otlpOf = otlp;
    };
  }

  async #restartOtlp(next: Config): Promise<void> {
    await this.#otlp?.stop(RELOAD_EXPORT_MS);
    this.#otlp = undefined;
    this.#options.logger.info('OTLP export begins again as configured now');
    await this.#startOtlp(next);
  }

  async #startWeb(listenAt: readonly ListenTarget[]): Promise<void> {
    const { config, figures, logger, page, ready, reload } = this.#options;
    const { telemetryPath, routePrefix, externalUrl, enableLifecycle, configFile } = config.web;
    this.#webConfig = new WatchedWebConfig({
      ...{ path: configFile, logger },
      onReading: (successful) => {
        figures.webConfigSuccessful = successful;
      },
    });
    this.#web = await startWebServer({
      ...{ listenAt, telemetryPath, routePrefix, externalUrl, enableLifecycle, page, ready, reload, logger },
      webConfig: this.#webConfig,
      render: (format) => this.render(format),
      release: (format, body) => this.#writers[format].release(body),
      onRequest: ({ path, status, durationSeconds }) => figures.http.countRequest(path, status, durationSeconds),
      onCut: (reason) => {
        figures.http.cuts[reason]++;
      },
    });
  }

  /** @param limitMs time for the last export through OTLP */
  async stop(limitMs: number): Promise<void> {
    await Promise.all([this.#otlp?.stop(limitMs), this.#web?.close()]);
  }
}
