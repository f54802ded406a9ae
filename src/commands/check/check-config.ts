/** `bgproutes-exporter check-config FILE`: says whether a configuration file is right, and does nothing else. */
import { type Config, loadConfig, MAX_PARTITION_PREFIXES } from '../../config/config.ts';
import { readOtlpTls } from '../../config/otlp/otlp-tls.ts';
import { settings } from '../../config/reload/settings.ts';
import { readServiceCa } from '../../config/service-ca.ts';
import { loadWebConfig } from '../../config/web/load-web-config.ts';
import { ConfigError } from '../../errors.ts';
import { crowdedPartitions } from '../../fleet/partitions.ts';
import { type Flag, formatFlags, parseArguments, UsageError } from '../arguments.ts';
import type { Command, CommandIo } from '../command.ts';
import { foldMessage } from '../terminal/folding.ts';
import { configWarnings, invalidOrigins } from './config-warnings.ts';

const FLAGS: readonly Flag[] = [
  { name: 'web.config.file', value: 'FILE', help: 'Check this web configuration file, with or without FILE.' },
  {
    name: 'online',
    help: 'Also read the validated data of rpki.sources, and warn of configured origins that are RPKI invalid.',
  },
];

export const checkConfigCommand: Command = {
  name: 'check-config',
  summary: 'Check a configuration file and name everything that is wrong with it',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter check-config [FILE] [flags]

Reads FILE as the exporter would, with its variables, key files, certificates and web configuration file, and prints every
problem with its place. Settings that are allowed but are probably mistakes give a warning on standard error, for example a
prefix that is never announced, or a file of names that cannot be read.
Exit code 0: the configuration is right, perhaps with warnings. 2: it is wrong. 1: with --online, no source has data that is
fresh enough.

A running exporter applies all changes at a reload (SIGHUP), except those of
${restartKeys()}.

Flags:
${formatFlags(FLAGS)}
Examples:
  bgproutes-exporter check-config bgproutes.yml
  bgproutes-exporter check-config --web.config.file=web.yml
`,

  async run(args, io) {
    const { flags, positionals } = parseArguments(args, FLAGS, ['[FILE]']);
    const [file] = positionals;
    const { 'web.config.file': webFile } = flags;
    if (file === undefined && webFile === undefined) throw new UsageError('FILE is missing');
    let exitCode = 0;
    if (file !== undefined) {
      const config = loadConfig({ flags: { 'config.file': file }, env: io.env });
      if (config.otlp !== undefined) readOtlpTls(config.otlp);
      readServiceCa(config);
      checkFleet(config, file);
      const { configFile } = config.web;
      if (configFile !== undefined) checkWebConfig(configFile, io);
      const invalid = flags.online === true ? await invalidOrigins(config, io) : [];
      const unknown = ['no source of rpki.sources has validated data that is fresh enough'];
      for (const text of [...(await configWarnings(config)), ...(invalid ?? unknown)])
        io.stderr.write(`${foldMessage(`${file}: warning: ${text}`, io.stderr)}\n`);
      tell(`${file}: the configuration is right: ${summary(config)}`, io);
      if (invalid === undefined) exitCode = 1;
    }
    if (typeof webFile === 'string') checkWebConfig(webFile, io);
    return exitCode;
  },
};

/** The keys that only a restart can change. */
function restartKeys(): string {
  const names = settings().flatMap(({ name, startOnly }) => (startOnly === undefined ? [] : [name]));
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function checkFleet({ fleet, prefixes }: Config, file: string): void {
  if (fleet === undefined) return;
  const all = prefixes.map(({ prefix }) => prefix);
  const problems = crowdedPartitions(all, fleet.partitions, MAX_PARTITION_PREFIXES);
  if (problems.length > 0) throw new ConfigError(problems.map((text) => `${file}: ${text}`));
}

function checkWebConfig(file: string, io: CommandIo): void {
  const { tls, users } = loadWebConfig(file);
  const scheme = tls === undefined ? 'HTTP' : `HTTPS, ${tls.clientAuth}`;
  tell(`${file}: the web configuration is right: ${scheme}, ${count(users.size, 'user', 'users')}`, io);
}

function tell(line: string, { stdout }: CommandIo): void {
  stdout.write(`${foldMessage(line, stdout)}\n`);
}

function summary({ prefixes, bgproutes }: Config): string {
  const ipv4 = prefixes.filter(({ prefix }) => prefix.afi === 'ipv4').length;
  return `${count(prefixes.length, 'prefix', 'prefixes')} (IPv4 ${ipv4}, IPv6 ${prefixes.length - ipv4}), ${count(bgproutes.apiKeys.length, 'API key', 'API keys')}`;
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
