/** `bgproutes-exporter healthcheck`: for a container that has no curl. */
import { readFileSync } from 'node:fs';
import { fileFault, readTextFile } from '../config/file/text-file.ts';
import { type ListenAddress, parseListenAddress } from '../config/listen-address.ts';
import { ExporterError } from '../errors.ts';
import { request } from '../http/http-request.ts';
import { errorText } from '../redaction.ts';
import { systemCode } from '../system-error.ts';
import { type Arguments, type Flag, formatFlags, parseArguments, UsageError } from './arguments.ts';
import type { Command, CommandIo } from './command.ts';
import { foldMessage } from './watch/folding.ts';

/** Shorter than Docker's own limit, so that the reason is told. */
const TIMEOUT_MS = 4_000;

/** The answer of an exporter is shorter; only its status counts. */
const MAX_BYTES = 1_024;

const FLAGS: readonly Flag[] = [
  {
    name: 'web.listen-address',
    value: 'HOST:PORT',
    help: 'Where the exporter was told to serve; an empty value: nowhere, so there is nothing to ask.',
  },
  { name: 'config.file', value: 'FILE', help: "The exporter's configuration file, for its web.listen_address." },
];
const DEFAULT_ADDRESS: ListenAddress = { host: '', port: 10_479 };

export const healthcheckCommand: Command = {
  name: 'healthcheck',
  summary: 'Ask a running exporter whether it is healthy (for containers)',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter healthcheck [flags]

Asks /-/healthy of the exporter on this machine. Without flags it finds the address as the first process (of a
container) was told it: by its flags, its configuration file, or the default :10479.
Exit code 0: healthy, or without a web server. 1: not healthy.

Flags:
${formatFlags(FLAGS)}
Example:
  bgproutes-exporter healthcheck --web.listen-address=127.0.0.1:9000
`,

  async run(args, io) {
    const { flags } = parseArguments(args, FLAGS);
    const { 'web.listen-address': given } = flags;
    if (typeof given === 'string' && given !== '' && parseListenAddress(given) === undefined)
      throw new UsageError('--web.listen-address: expected HOST:PORT such as :10479, 127.0.0.1:9000 or [::1]:9000');
    const address = await listenAddress(Object.keys(flags).length > 0 ? flags : flagsOfFirstProcess(), io);
    if (address === undefined) {
      io.stdout.write('no web server\n');
      return 0;
    }
    const { host, port } = address;
    const local = host === '' || host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
    const url = `http://${local.includes(':') ? `[${local}]` : local}:${port}/-/healthy`;
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const asked = { method: 'GET', headers: {}, maxBytes: () => MAX_BYTES, cutBody: true, signal } as const;
      const { status } = await request(new URL(url), asked);
      io.stdout.write(`${url}: ${status}\n`);
      return status >= 200 && status < 300 ? 0 : 1;
    } catch (error) {
      io.stderr.write(`${foldMessage(`${url}: ${reasonOf(error)}`, io.stderr)}\n`);
      return 1;
    }
  },
};

/** Why there is no answer, in words that say what to do. */
function reasonOf(error: unknown): string {
  if (systemCode(error) === 'ECONNREFUSED') {
    return 'nobody listens there: the exporter does not run, or listens elsewhere (see --web.listen-address and --config.file)';
  }
  if (error instanceof Error && error.name === 'AbortError') return `no answer within ${TIMEOUT_MS / 1000} seconds`;
  return errorText(error, (text) => text);
}

/** Of the flag, else of the file, else the default; undefined when the web server is off. */
async function listenAddress(flags: Arguments['flags'], io: CommandIo): Promise<ListenAddress | undefined> {
  const { 'web.listen-address': given, 'config.file': file } = flags;
  const text = given ?? (typeof file === 'string' ? await addressOfFile(file, io) : undefined);
  if (text === '') return undefined;
  return (typeof text === 'string' ? parseListenAddress(text) : undefined) ?? DEFAULT_ADDRESS;
}

/** Looks at nothing else: whether the file is right is not the question. */
async function addressOfFile(file: string, { env }: CommandIo): Promise<unknown> {
  const { ConfigDocument } = await import('../config/file/document.ts');
  let text: string;
  try {
    text = readTextFile(file);
  } catch (error) {
    const message = `${file}: the configuration file cannot be read: ${fileFault(error)}`;
    // No ConfigError: its exit code 2 means nothing to Docker.
    throw new ExporterError('HEALTHCHECK', message, { actor: 'operator', cause: error });
  }
  const { value } = new ConfigDocument(text, env);
  const { web } = (value ?? {}) as { web?: { listen_address?: unknown } | null };
  return web?.listen_address;
}

/** The command line of process 1 as far as it is needed; nothing where it cannot be read. */
function flagsOfFirstProcess(): Arguments['flags'] {
  let words: string[];
  try {
    words = readFileSync('/proc/1/cmdline', 'utf8').split('\0');
  } catch {
    return {};
  }
  return flagsOfCommandLine(words);
}

/** The flags of this command among those of another one; `--flag=value` and `--flag value`. */
export function flagsOfCommandLine(words: readonly string[]): Arguments['flags'] {
  const flags: Record<string, string> = {};
  for (const { name } of FLAGS) {
    const at = words.findLastIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
    if (at === -1) continue;
    flags[name] = words[at].includes('=') ? words[at].slice(words[at].indexOf('=') + 1) : (words[at + 1] ?? '');
  }
  return flags;
}
