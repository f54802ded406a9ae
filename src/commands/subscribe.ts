/** `bgproutes-exporter subscribe`: associates prefixes with a key, for whoever reads its stream. */
import { type Flag, formatFlags, parseArguments, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { ASSOCIATION, patiently } from './patience.ts';
import { PREFIX_FLAG, SERVICE_FLAGS, serviceOf } from './service.ts';

const FLAGS: readonly Flag[] = [
  { ...PREFIX_FLAG, help: 'Prefix to associate, such as 192.0.2.0/24. Repeatable.' },
  ...SERVICE_FLAGS,
];

export const subscribeCommand: Command = {
  name: 'subscribe',
  summary: 'Associate prefixes with an API key, and end',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter subscribe --prefix=PREFIX… [flags]

Replaces the prefixes that a key streams by these, as the website does. The service forgets them after 4 hours without
activity of the key. The commands serve, tail and watch do this themselves.

Do not use it with the key of a running exporter: it would cease to hear of its own prefixes until it renews them.

Flags:
${formatFlags(FLAGS)}
Example:
  BGP_API_KEY=… bgproutes-exporter subscribe --prefix=192.23.62.0/24 --prefix=2a06:3040:10::/48
`,

  async run(args, io) {
    const { flags } = parseArguments(args, FLAGS);
    const { prefixes, ...options } = serviceOf(flags, io.env);
    if (prefixes.length === 0) throw new UsageError('no prefix: --prefix=192.0.2.0/24, or --config.file=FILE');
    const { BgproutesLiveClient } = await import('../bgproutes/client.ts');
    const client = new BgproutesLiveClient(options);
    try {
      await patiently(io, ASSOCIATION, () => client.subscribe(prefixes, { signal: io.signal }));
    } catch (error) {
      if (io.signal.aborted) return 0;
      throw error;
    } finally {
      await client.close();
    }
    const list = prefixes.length === 1 ? '1 prefix is' : `${prefixes.length} prefixes are`;
    io.stdout.write(`${list} associated with the key: ${prefixes.join(', ')}\n`);
    return 0;
  },
};
