/** `bgproutes-exporter ingest`: a source into the topic of events, for the exporters of a fleet. */
import { configSecrets, loadConfig } from '../../config/config.ts';
import { CONFIG_FLAGS } from '../../config/flags.ts';
import { proxySecrets } from '../../http/ways-out.ts';
import { createLogger } from '../../logger.ts';
import { buildInfo } from '../../version.ts';
import { formatFlags, parseArguments } from '../arguments.ts';
import { aborted, type Command } from '../command.ts';
import { ServiceManager, systemdSockets } from './service-manager.ts';

/** When a stop takes longer, something hangs: better to end without it. */
const STOP_LIMIT_MS = 10_000;

export const ingestCommand: Command = {
  name: 'ingest',
  summary: 'Write a source into Kafka, for exporters that share the prefixes',
  flags: CONFIG_FLAGS,
  help: `Usage: bgproutes-exporter ingest --config.file=FILE [flags]

Reads one source and its history, and writes both into the topic of events that the section fleet names. Exporters that run
the command serve with the same file share its prefixes. Of several ingests of one fleet one writes and the others wait.

Flags:
${formatFlags(CONFIG_FLAGS)}
Signals: SIGINT and SIGTERM stop it cleanly; a second one stops it at once.

Example:
  bgproutes-exporter fleet create-topics --config.file=bgproutes.yml
  bgproutes-exporter ingest --config.file=bgproutes.yml
`,

  async run(args, io) {
    const { flags } = parseArguments(args, CONFIG_FLAGS);
    const config = loadConfig({ flags, env: io.env, use: 'ingest' });
    const logger = createLogger({
      ...config.log,
      destination: io.stderr,
      secrets: [...configSecrets(config), ...proxySecrets(io.env)],
    });
    io.onFatal((text) => logger.error('the ingest ends', { error: text }));
    const version = buildInfo(io.env);
    logger.info('the ingest starts', {
      version: version.version,
      prefixes: config.prefixes.length,
      sources: config.sources.join(','),
    });
    const { startIngest } = await import('../../ingest.ts');
    const ingest = await startIngest(config, {
      ...{ logger, version, systemdSockets: systemdSockets(io.env, process.pid) },
    });
    const manager = new ServiceManager(io.env, (reason) =>
      logger.warn('systemd cannot be told that the ingest runs: systemd-notify does not start', { error: reason }),
    );
    manager.ready();
    const superseded = ingest.superseded.catch((error: unknown) => error);
    const why = await Promise.race([aborted(io.signal), superseded]);
    if (why instanceof Error) logger.error('the ingest ends', { error: why.message });
    else logger.info('the ingest stops');
    void manager.stopping();
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, STOP_LIMIT_MS, 'late').unref());
    if ((await Promise.race([ingest.stop(), late])) === 'late') {
      logger.error('the stop takes too long: the process ends now', { limit_seconds: STOP_LIMIT_MS / 1000 });
      return 1;
    }
    return why instanceof Error ? 1 : 0;
  },
};
