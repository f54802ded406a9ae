/** What the numbers of an exporter leave it by: the text of a scrape, the web server, OTLP. */
import { type Config, hasWebServer } from '../config/config.ts';
import { ConfigError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ExporterFigures } from '../metrics/figures/exporter-figures.ts';
import type { ListenTarget } from '../outputs/listen.ts';
import type { ExpositionFormat } from '../outputs/negotiation.ts';
import type { LivePage } from '../outputs/page/live-page.ts';
import { TextWriter } from '../outputs/prometheus.ts';
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

export class Outputs {
  readonly #options: OutputsOptions;
  readonly #writers: Readonly<Record<ExpositionFormat, TextWriter>>;
  #web: WebServer | undefined;
  #webConfig: WatchedWebConfig | undefined;
  #otlp: { stop(limitMs: number): Promise<void> } | undefined;

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
    const { config, metrics, figures, logger, version } = this.#options;
    if (hasWebServer(config)) await this.#startWeb(this.#listenTargets());
    if (config.otlp === undefined) return;
    const { startOtlp } = await import('../outputs/otlp/setup.ts');
    this.#otlp = await startOtlp(config.otlp, {
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

  /** @throws ConfigError when the web configuration is wrong; the current one then still holds */
  reloadWebConfig(): void {
    this.#webConfig?.reload();
  }

  /** @param limitMs time for the last export through OTLP */
  async stop(limitMs: number): Promise<void> {
    await Promise.all([this.#otlp?.stop(limitMs), this.#web?.close()]);
  }
}
