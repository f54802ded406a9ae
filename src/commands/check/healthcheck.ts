/** `bgproutes-exporter healthcheck`: for a container that has no curl. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import { resolvePath } from '../../config/api-keys.ts';
import { fileFault, readTextFile } from '../../config/file/text-file.ts';
import { type ListenAddress, parseListenAddress, type TcpAddress } from '../../config/listen-address.ts';
import { routePrefixOf } from '../../config/route-prefix.ts';
import { PLAIN_WEB, type WebConfig, type WebTls } from '../../config/web/web-config.ts';
import { DEFAULTS } from '../../defaults.ts';
import { systemCode } from '../../errors/system-error.ts';
import { ExporterError } from '../../errors.ts';
import { request } from '../../http/http-request.ts';
import { errorText } from '../../secrets/redaction.ts';
import { type Arguments, type Flag, formatFlags, parseArguments, UsageError } from '../arguments.ts';
import type { Command, CommandIo } from '../command.ts';
import { foldMessage } from '../terminal/folding.ts';

/** Shorter than Docker's own limit, so that the reason is told. */
const TIMEOUT_MS = 4_000;

/** The answer of an exporter is shorter; only its status counts. */
const MAX_BYTES = 1_024;

const FLAGS: readonly Flag[] = [
  {
    name: 'web.listen-address',
    value: 'HOST:PORT',
    help: 'Where the exporter listens, or unix:/PATH. With an empty value it has no web server, and nothing is asked.',
  },
  { name: 'web.external-url', value: 'URL', help: "The exporter's external URL, for the prefix of its paths." },
  { name: 'web.route-prefix', value: 'PATH', help: 'The prefix of its paths, if it is not that of the external URL.' },
  {
    name: 'web.config.file',
    value: 'FILE',
    help: "The exporter's web configuration file, which says whether it speaks TLS.",
  },
  { name: 'config.file', value: 'FILE', help: "The exporter's configuration file, for its section web." },
];
const CREDENTIAL_FLAGS: readonly Flag[] = [
  { name: 'http.user', value: 'NAME', help: 'User name, if the web configuration has users.' },
  { name: 'http.password-file', value: 'FILE', help: 'File that holds the password of that user.' },
  { name: 'http.cert-file', value: 'FILE', help: 'Client certificate, if the web server needs one.' },
  { name: 'http.key-file', value: 'FILE', help: 'Private key of that certificate.' },
];
const DEFAULT_ADDRESS: ListenAddress = { host: '', port: DEFAULTS.web.port };

export const healthcheckCommand: Command = {
  name: 'healthcheck',
  summary: 'Ask a running exporter whether it is healthy (for containers)',
  flags: [...FLAGS, ...CREDENTIAL_FLAGS],
  help: `Usage: bgproutes-exporter healthcheck [flags]

Asks the exporter on this machine for /-/healthy. Without the first five flags it reads the address from the flags and the
configuration file of process 1, which is the exporter in a container; the default is :${DEFAULTS.web.port}. With TLS it trusts only
the certificate of the web configuration.
Exit code 0: the exporter is healthy, or has no web server. It is also 0 if the exporter asks for a password and none was
given, because an exporter that asks is running. 1: it is not healthy.

Flags:
${formatFlags([...FLAGS, ...CREDENTIAL_FLAGS])}
Examples:
  bgproutes-exporter healthcheck --web.listen-address=127.0.0.1:9000
  bgproutes-exporter healthcheck --http.user=probe --http.password-file=/run/secrets/probe
`,

  async run(args, io) {
    const { flags } = parseArguments(args, [...FLAGS, ...CREDENTIAL_FLAGS]);
    const { 'web.listen-address': given } = flags;
    if (typeof given === 'string' && given !== '' && parseListenAddress(given) === undefined)
      throw new UsageError(
        '--web.listen-address: expected HOST:PORT such as :10479, 127.0.0.1:9000 or [::1]:9000, or unix:/run/bgp.sock',
      );
    const target = await targetOf(
      FLAGS.some(({ name }) => flags[name] !== undefined) ? flags : flagsOfFirstProcess(),
      io,
    );
    if (target === undefined) {
      io.stdout.write('no web server\n');
      return 0;
    }
    const { address, prefix, webConfig } = target;
    const socketPath = 'path' in address ? address.path : undefined;
    const at = `${'path' in address ? 'localhost' : localPlace(address)}${prefix}/-/healthy`;
    const told = () => (socketPath === undefined ? url.href : `unix:${socketPath} ${url.href}`);
    const authorization = webConfig === undefined ? undefined : authorizationOf(flags);
    let url = new URL(`${webConfig?.tls === undefined ? 'http' : 'https'}://${at}`);
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      let status: number;
      try {
        status = await statusOf(url, { authorization, tls: webConfig?.tls, flags, signal, socketPath });
      } catch (error) {
        if (webConfig !== undefined) throw error;
        url = new URL(`https://${at}`);
        status = await statusOf(url, { authorization: undefined, tls: undefined, flags, signal, socketPath });
      }
      const asks = status === 401 && authorization === undefined;
      io.stdout.write(`${told()}: ${status}${asks ? ', it runs, and asks for a password' : ''}\n`);
      return asks || (status >= 200 && status < 300) ? 0 : 1;
    } catch (error) {
      io.stderr.write(`${foldMessage(`${told()}: ${reasonOf(error)}`, io.stderr)}\n`);
      return 1;
    }
  },
};

/** `host:port` that reaches a server on this machine that listens at the address. */
function localPlace({ host, port }: TcpAddress): string {
  const local = host === '' || host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${local.includes(':') ? `[${local}]` : local}:${port}`;
}

interface Asking {
  readonly authorization: string | undefined;
  /** The certificate that the server must show. Undefined: any certificate will do, and then no credentials may be sent. */
  readonly tls: WebTls | undefined;
  readonly flags: Arguments['flags'];
  readonly signal: AbortSignal;
  /** A Unix socket, in place of host and port of the URL. */
  readonly socketPath: string | undefined;
}

async function statusOf(url: URL, asking: Asking): Promise<number> {
  const { authorization, signal, socketPath } = asking;
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const agent =
    url.protocol === 'https:'
      ? await pinnedAgent(url, asking)
      : socketPath === undefined
        ? undefined
        : unixAgent(socketPath);
  const { status } = await request(url, {
    ...{ method: 'GET', headers, maxBytes: () => MAX_BYTES, cutBody: true, signal, agent },
  });
  return status;
}

function authorizationOf({ 'http.user': user, 'http.password-file': file }: Arguments['flags']): string | undefined {
  if (user === undefined && file === undefined) return undefined;
  if (typeof user !== 'string' || typeof file !== 'string')
    throw new UsageError('--http.user and --http.password-file are needed together');
  const password = readGiven(file, '--http.password-file').replace(/\r?\n$/, '');
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/**
 * A connection to the exporter itself and not to another program on its port: the server must show the certificate of the
 * exporter's file.
 */
async function pinnedAgent(url: URL, { tls, flags, signal, socketPath }: Asking): Promise<Agent> {
  const { 'http.cert-file': certFile, 'http.key-file': keyFile } = flags;
  const socket = connect({
    ...(socketPath === undefined
      ? { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443) }
      : { path: socketPath }),
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1',
    ...(typeof certFile === 'string' ? { cert: readGiven(certFile, '--http.cert-file') } : {}),
    ...(typeof keyFile === 'string' ? { key: readGiven(keyFile, '--http.key-file') } : {}),
  });
  try {
    await once(socket, 'secureConnect', { signal });
    const shown = socket.getPeerX509Certificate();
    if (tls !== undefined && shown?.raw.equals(new X509Certificate(String(tls.context.cert)).raw) !== true)
      throw new Error(
        'it shows another certificate than that of the web configuration: another program may have the port',
      );
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const agent = new Agent();
  agent.createConnection = () => socket;
  return agent;
}

function unixAgent(path: string): HttpAgent {
  const agent = new HttpAgent();
  agent.createConnection = () => connectPlain(path);
  return agent;
}

function readGiven(file: string, flag: string): string {
  try {
    return readTextFile(file);
  } catch (error) {
    throw new ExporterError('HEALTHCHECK', `${flag}: ${file} cannot be read: ${fileFault(error)}`, {
      actor: 'operator',
      cause: error,
    });
  }
}

/** Why there is no answer, in words that say what to do. */
function reasonOf(error: unknown): string {
  if (['ECONNREFUSED', 'ENOENT'].includes(systemCode(error) ?? '')) {
    return 'nobody listens there: the exporter does not run, or listens elsewhere (see --web.listen-address and --config.file)';
  }
  if (systemCode(error) === 'ECONNRESET')
    return 'it ended the connection: where clients need a certificate, give --http.cert-file and --http.key-file';
  if (error instanceof Error && error.name === 'AbortError') return `no answer within ${TIMEOUT_MS / 1000} seconds`;
  return errorText(error, (text) => text);
}

interface Target {
  readonly address: ListenAddress;
  /** Of all paths. */
  readonly prefix: string;
  /** Undefined when the file is wrong now: the exporter then runs with its last good one, which is not known here. */
  readonly webConfig: WebConfig | undefined;
}

/** What to ask: as the flags say, else as the file says, else the defaults. Undefined when the web server is off. */
async function targetOf(flags: Arguments['flags'], io: CommandIo): Promise<Target | undefined> {
  const { 'web.listen-address': given, 'web.config.file': givenFile, 'config.file': file } = flags;
  const web = typeof file === 'string' ? await webOfFile(file, io) : {};
  // A healthy exporter listens at all its addresses, so one of them is enough.
  const text = given ?? [web.listen_address].flat()[0];
  if (text === '') return undefined;
  const address = (typeof text === 'string' ? parseListenAddress(text) : undefined) ?? DEFAULT_ADDRESS;
  const ofFile =
    typeof file === 'string' && typeof web.config_file === 'string' && web.config_file !== ''
      ? resolvePath(file, web.config_file)
      : undefined;
  const webFile = typeof givenFile === 'string' ? givenFile : ofFile;
  const textOf = (name: 'external_url' | 'route_prefix'): string =>
    String(flags[`web.${name.replace('_', '-')}`] ?? web[name] ?? '');
  const prefix = routePrefixOf(textOf('external_url'), textOf('route_prefix'));
  return {
    address,
    prefix,
    webConfig: webFile === undefined || webFile === '' ? PLAIN_WEB : await readWebConfig(webFile),
  };
}

async function readWebConfig(file: string): Promise<WebConfig | undefined> {
  const { loadWebConfig } = await import('../../config/web/load-web-config.ts');
  try {
    return loadWebConfig(file);
  } catch {
    return undefined;
  }
}

/** Reads nothing else: it is not asked whether the rest of the file is right. */
async function webOfFile(file: string, { env }: CommandIo): Promise<{ readonly [key: string]: unknown }> {
  const { ConfigDocument } = await import('../../config/file/document.ts');
  const { value } = new ConfigDocument(readGiven(file, '--config.file'), env);
  const { web } = (value ?? {}) as { web?: Readonly<Record<string, unknown>> | null };
  return web ?? {};
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
