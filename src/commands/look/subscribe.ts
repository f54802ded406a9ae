/** `bgproutes-exporter subscribe`: associates prefixes with a key, for whoever reads its stream. */
import { WebsocketConnectionError } from '../../errors.ts';
import { type Flag, formatFlags, parseArguments, UsageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { PREFIX_FLAG, SERVICE_FLAGS, serviceOf } from '../service.ts';
import { foldMessage } from '../terminal/folding.ts';
import { subscribePatiently } from '../terminal/patience.ts';

const FLAGS: readonly Flag[] = [
  { ...PREFIX_FLAG, help: 'Prefix to associate, such as 192.0.2.0/24. Repeatable.' },
  {
    name: 'force',
    help: 'Do it even while another session uses the key. That session then gets these prefixes instead of its own, or nothing.',
  },
  ...SERVICE_FLAGS,
];

export const subscribeCommand: Command = {
  name: 'subscribe',
  summary: 'Associate prefixes with an API key, and end',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter subscribe --prefix=PREFIX… [flags]

Replaces the list of prefixes that a key streams, as the website does. The service forgets the list after 4 hours without
activity of the key. The commands serve, tail and watch do this themselves.

A key has one list and one session. The command first opens the stream for a moment. If the service refuses that because
another session uses the key, nothing changes and the exit code is 1. With --force it does not open the stream first. A
running exporter with the same key then loses its stream. It takes its own prefixes back and fills the gap, so the prefixes
of this command are lost again.

Flags:
${formatFlags(FLAGS)}
Example:
  BGP_API_KEY=… bgproutes-exporter subscribe --prefix=192.23.62.0/24 --prefix=2a06:3040:10::/48
`,

  async run(args, io) {
    const { flags } = parseArguments(args, FLAGS);
    const { prefixes, ...options } = serviceOf(flags, io.env, { hasRisLive: false });
    if (prefixes.length === 0) throw new UsageError('no prefix: --prefix=192.0.2.0/24, or --config.file=FILE');
    const { BgproutesLiveClient } = await import('../../bgproutes/client/client.ts');
    const client = new BgproutesLiveClient(options);
    try {
      const force = flags.force === true;
      await subscribePatiently(io, client, prefixes, { signal: io.signal, force });
    } catch (error) {
      if (io.signal.aborted) return 0;
      throw withAdvice(error);
    } finally {
      await client.close();
    }
    const list = prefixes.length === 1 ? '1 prefix is' : `${prefixes.length} prefixes are`;
    io.stdout.write(`${foldMessage(`${list} associated with the key: ${prefixes.join(', ')}`, io.stdout)}\n`);
    return 0;
  },
};

/** What would happen, and what to do instead. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof WebsocketConnectionError)) return error;
  const { code } = error.cause as { readonly code?: unknown };
  const advice =
    code === 'in_use'
      ? 'That session would lose its prefixes to these: end it, use another key, or take the list from it with --force'
      : 'With --force the prefixes are associated without asking; a session that uses the key would lose its own';
  return new WebsocketConnectionError(`${error.message}. ${advice}`, error);
}
