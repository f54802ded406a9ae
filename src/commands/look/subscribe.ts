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
    help: 'Do it also while another session uses the key: that one then gets these prefixes rather than its own, or nothing.',
  },
  ...SERVICE_FLAGS,
];

export const subscribeCommand: Command = {
  name: 'subscribe',
  summary: 'Associate prefixes with an API key, and end',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter subscribe --prefix=PREFIX… [flags]

Replaces the prefixes that a key streams by these, as the website does. The service forgets them after 4 hours without
activity of the key. The commands serve, tail and watch do this themselves.

A key has one list and one session. The stream is opened first, for a moment: where the service refuses that because another
session uses the key, nothing is changed and the exit code is 1. With --force nobody is asked. A running exporter with the same
key would lose its stream: it counts as down, takes its own prefixes back and fills the gap, and so these here are lost again.

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
