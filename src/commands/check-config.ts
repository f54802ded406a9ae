/** `bgproutes-exporter check-config FILE`: says whether a configuration file is right, and does nothing else. */
import { type Config, loadConfig } from '../config/config.ts';
import { readOtlpTls } from '../config/otlp/otlp-tls.ts';
import { parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { foldMessage } from './watch/folding.ts';

export const checkConfigCommand: Command = {
  name: 'check-config',
  summary: 'Check a configuration file and name everything that is wrong with it',
  help: `Usage: bgproutes-exporter check-config FILE

Reads FILE as the exporter would, its variables, key files and certificates too, and prints every problem with its
place.
Exit code 0: it is right. 2: it is not.

Example:
  bgproutes-exporter check-config bgproutes.yml
`,

  async run(args, io) {
    const { positionals } = parseArguments(args, [], ['FILE']);
    const config = loadConfig({ flags: { 'config.file': positionals[0] }, env: io.env });
    if (config.otlp !== undefined) readOtlpTls(config.otlp);
    const said = `${positionals[0]}: the configuration is right: ${summary(config)}`;
    io.stdout.write(`${foldMessage(said, io.stdout)}\n`);
    return 0;
  },
};

function summary({ prefixes, bgproutes }: Config): string {
  const ipv4 = prefixes.filter(({ prefix }) => prefix.afi === 'ipv4').length;
  return `${count(prefixes.length, 'prefix', 'prefixes')} (IPv4 ${ipv4}, IPv6 ${prefixes.length - ipv4}), ${count(bgproutes.apiKeys.length, 'API key', 'API keys')}`;
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
