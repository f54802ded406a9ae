/** `bgproutes-exporter serve`: the exporter itself. */
import { configSecrets, loadConfig } from '../../config/config.ts';
import { CONFIG_FLAGS, namedByFlag } from '../../config/flags.ts';
import { ConfigError } from '../../errors.ts';
import type { RunningExporter } from '../../exporter.ts';
import { proxySecrets } from '../../http/ways-out.ts';
import { createLogger } from '../../logger.ts';
import { buildInfo } from '../../version.ts';
import { type Arguments, formatFlags, parseArguments } from '../arguments.ts';
import { aborted, type Command } from '../command.ts';
import { heapProblem } from './heap-room.ts';
import { ServiceManager, systemdSockets } from './service-manager.ts';

/** What only a start finds wrong names the flag that set it, or the file. */
function atItsPlace({ problems, cause, subject }: ConfigError, flags: Arguments['flags']): ConfigError {
  const { 'config.file': file } = flags;
  const placed = problems.map((problem) => {
    const named = namedByFlag(problem, flags);
    return named === problem && typeof file === 'string' ? `${file}: ${problem}` : named;
  });
  return new ConfigError(placed, cause, subject);
}

/** When a stop takes longer, something hangs, and the process ends without waiting for it. */
const STOP_LIMIT_MS = 10_000;

export const serveCommand: Command = {
  name: 'serve',
  summary: 'Run the exporter; this is the default command',
  flags: CONFIG_FLAGS,
  help: `Usage: bgproutes-exporter [serve] [flags]

Keeps, for each monitored prefix, the route that each vantage point of the sources holds, and serves metrics about it.

Flags:
${formatFlags(CONFIG_FLAGS)}
Environment:
  BGP_API_KEY       API key, if neither a flag nor the file gives one
  BGP_API_KEY_FILE  File with API keys, one on each line
  BGP_PREFIXES      Prefixes to monitor, separated by commas or spaces; added to those of the file

Signals: SIGHUP reads the configuration again. SIGINT and SIGTERM stop it cleanly; a second one stops it at once.

Example:
  BGP_API_KEY=… bgproutes-exporter --prefix=192.23.62.0/24 --prefix=2a06:3040:10::/48
`,

  async run(args, io) {
    const { flags } = parseArguments(args, CONFIG_FLAGS);
    const tooSmall = heapProblem(process.execArgv, io.env.NODE_OPTIONS);
    if (tooSmall !== undefined) throw new ConfigError([tooSmall], undefined, 'memory of Node');
    const load = () => loadConfig({ flags, env: io.env });
    const config = load();
    const logger = createLogger({
      ...config.log,
      destination: io.stderr,
      secrets: [...configSecrets(config), ...proxySecrets(io.env)],
    });
    io.onFatal((text) => logger.error('bgproutes-exporter ends', { error: text }));
    const version = buildInfo(io.env);
    logger.info('bgproutes-exporter starts', {
      version: version.version,
      revision: version.revision,
      node: version.nodeVersion,
      prefixes: config.prefixes.length,
      sources: config.sources.join(','),
      // RIS Live has one session for all prefixes, bgproutes.io one a key.
      sessions: config.sources.reduce(
        (sum, name) => sum + (name === 'bgproutes' ? config.bgproutes.apiKeys.length : 1),
        0,
      ),
    });

    const { startExporter } = await import('../../exporter.ts');
    const reloadConfig = () => {
      const next = load();
      logger.addSecrets(configSecrets(next));
      return next;
    };
    let running: RunningExporter | undefined;
    // The exporter logs and counts a reload that is refused; the current configuration stays in force.
    const manager = new ServiceManager(io.env, (reason) =>
      logger.warn('systemd cannot be told that the exporter runs: systemd-notify does not start', { error: reason }),
    );
    const ignoreHangups = io.onHangup(() => {
      if (running === undefined) return;
      manager.reloading();
      void running
        .reload()
        .catch(() => {})
        .then(() => manager.ready());
    });
    const exporter = await startExporter(config, {
      ...{ logger, version, reloadConfig, systemdSockets: systemdSockets(io.env, process.pid) },
      onReloaded: ({ log }) => logger.set(log),
    }).catch((error: unknown) => {
      throw error instanceof ConfigError ? atItsPlace(error, flags) : error;
    });
    running = exporter;
    manager.ready();
    await aborted(io.signal);
    ignoreHangups();
    logger.info('bgproutes-exporter stops');
    void manager.stopping();
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, STOP_LIMIT_MS, 'late').unref());
    if ((await Promise.race([exporter.stop(), late])) === 'late') {
      logger.error('the stop takes too long: the process ends now', { limit_seconds: STOP_LIMIT_MS / 1000 });
      return 1;
    }
    logger.info('bgproutes-exporter has stopped');
    return 0;
  },
};
