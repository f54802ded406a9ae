/** `bgproutes-exporter simulate`: a stand-in for the three services of bgproutes.io. */
import { basename, relative } from 'node:path';
import { formatDuration, parseDuration } from '../../config/duration.ts';
import { fileFault, readTextFile } from '../../config/file/text-file.ts';
import { anyOf } from '../../config/flags.ts';
import { parseTcpAddress } from '../../config/listen-address.ts';
import { LOG_LEVELS } from '../../config/values/log-words.ts';
import { ConfigError, ExporterError, ListenError } from '../../errors.ts';
import { createLogger } from '../../logger.ts';
import type { Simulator, SimulatorOptions } from '../../simulator/contract.ts';
import { SIMULATOR_KEY } from '../../simulator/default-key.ts';
import type { Scenario } from '../../simulator/scenario/scenario.ts';
import { type Arguments, type Flag, formatFlags, parseArguments, UsageError } from '../arguments.ts';
import { aborted, type Command } from '../command.ts';
import { foldMessage } from '../terminal/folding.ts';

const DEFAULT_LISTEN = '127.0.0.1:8479';
const DEFAULT_TTL = '4h';
const DEFAULT_LAG = '60s';

const FLAGS: readonly Flag[] = [
  {
    name: 'listen',
    value: 'HOST:PORT',
    help: `Where to listen, for all services [${DEFAULT_LISTEN}]. Port 0 takes a free port.`,
  },
  { name: 'rtr-listen', value: 'HOST:PORT', help: 'Where to serve VRPs and ASPAs over RTR too [nowhere].' },
  { name: 'api-key', value: 'KEY', repeatable: true, help: `A valid key [${SIMULATOR_KEY}]. Repeatable.` },
  {
    name: 'replay',
    value: 'FILE',
    help: 'Send a recording (.jsonl, .jsonl.gz) instead of a generated Internet. It starts with the first subscriber.',
  },
  {
    name: 'scenario',
    value: 'FILE',
    help: 'File (YAML) that says what happens in the generated Internet [five minutes with an outage, hijacks and path changes; then rounds of an hour with the same].',
  },
  {
    name: 'speed',
    value: 'N|max',
    help: 'How many times faster than real time; max: as fast as the clients read [1].',
  },
  { name: 'loop', help: 'Start again at the end [a scenario with loop_every does, a recording does not].' },
  { name: 'seed', value: 'N', help: 'Another number makes another Internet [1].' },
  { name: 'vps', value: 'N', help: 'Vantage points of the generated Internet [300].' },
  { name: 'max-prefixes', value: 'N', help: 'Prefixes a key may have [10].' },
  {
    name: 'association-ttl',
    value: 'DURATION',
    help: `After how long without activity of a key its prefixes are forgotten [${DEFAULT_TTL}].`,
  },
  {
    name: 'fixed-list',
    help: 'A session streams the prefixes that its key had when it connected; later ones need a new connection.',
  },
  { name: 'refuse-without-prefixes', help: 'Refuse the stream to a key that has no prefixes.' },
  {
    name: 'session-linger',
    value: 'DURATION',
    help: 'How long a session that has ended still counts as the one session of its key [0s].',
  },
  {
    name: 'timestamps',
    value: 'now|original',
    help: 'Times of recorded messages: the time of sending, or the recorded time [now].',
  },
  {
    name: 'data-api-lag',
    value: 'DURATION',
    help: `By how much the Data API lags behind the stream [${DEFAULT_LAG}].`,
  },
  {
    name: 'withdraw-key',
    value: 'NAME',
    help: 'The JSON key of withdrawn prefixes [withdraws, or the one in the recording].',
  },
  {
    name: 'announce-on-subscribe',
    help: 'Send a new subscriber all routes over the stream, for clients that never ask the Data API. The real service does not do this.',
  },
  {
    name: 'enable-control',
    help: 'Allow faults and steps, and show the state, over HTTP under /-/ (docs/simulator.md).',
  },
  { name: 'log.level', value: 'LEVEL', help: `${anyOf(LOG_LEVELS)} [warn].` },
];

export const simulateCommand: Command = {
  name: 'simulate',
  summary: 'Stand in for the services: play a generated Internet, or a recording',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter simulate [flags]

Serves, on one port and without a network, what the services of bgproutes.io, RIPE RIS Live, RIPEstat and an RPKI validator
serve. It prints the flags that let an exporter use it, and a line for everything that happens to a prefix.

Flags:
${formatFlags(FLAGS)}
Examples:
  bgproutes-exporter simulate
  bgproutes-exporter simulate --scenario=outage.yml --speed=10 --seed=7 --vps=1000
  bgproutes-exporter simulate --replay=recording.jsonl.gz --speed=max --loop --max-prefixes=1000
`,

  async run(args, io) {
    const { flags } = parseArguments(args, FLAGS);
    const keys = (flags['api-key'] as readonly string[] | undefined) ?? [SIMULATOR_KEY];
    if (keys.some((key) => !/^[\x21-\x7e]+$/.test(key)))
      throw new UsageError('--api-key: expected printable characters without blanks');
    const level = choice(flags, 'log.level', LOG_LEVELS, 'warn');
    const logger = createLogger({
      level,
      format: 'logfmt',
      destination: io.stderr,
      secrets: keys.filter((key) => key !== SIMULATOR_KEY),
    });
    const { startSimulator } = await import('../../simulator/simulator.ts');
    const { BELOW_TIME, stepLine } = await import('../../simulator/scenario/step-line.ts');
    const options: SimulatorOptions = {
      ...(await optionsOf(flags)),
      apiKeys: keys,
      logger,
      onStep: (report) => io.stdout.write(`${foldMessage(stepLine(report, Date.now()), io.stdout, BELOW_TIME)}\n`),
    };
    const simulator = await startSimulator(options).catch((error: unknown) => {
      throw startFailure(error, options);
    });
    io.stdout.write(welcome(simulator, options, keys));
    await aborted(io.signal);
    await simulator.stop();
    return 0;
  },
};

async function optionsOf(flags: Arguments['flags']): Promise<Omit<SimulatorOptions, 'apiKeys'>> {
  const { scenario: scenarioFile, replay, 'withdraw-key': withdrawKey } = flags;
  if (scenarioFile !== undefined && replay !== undefined)
    throw new UsageError('--replay and --scenario exclude each other');
  const listen = String(flags.listen ?? DEFAULT_LISTEN);
  if (parseTcpAddress(listen) === undefined)
    throw new UsageError('--listen: expected HOST:PORT such as 127.0.0.1:8479 or [::1]:0');
  const rtrListen = flags['rtr-listen'];
  if (rtrListen !== undefined && parseTcpAddress(String(rtrListen)) === undefined)
    throw new UsageError('--rtr-listen: expected HOST:PORT such as 127.0.0.1:8282 or [::1]:0');
  return {
    listen,
    ...(rtrListen === undefined ? {} : { rtrListen: String(rtrListen) }),
    ...(replay === undefined ? {} : { replay: String(replay) }),
    ...(scenarioFile === undefined ? {} : { scenario: await readScenario(String(scenarioFile)) }),
    ...(flags.seed === undefined ? {} : { seed: wholeNumber(flags, 'seed', 0, 4_294_967_295) }),
    ...(flags.vps === undefined ? {} : { vps: wholeNumber(flags, 'vps', 0, 20_000) }),
    ...(flags['max-prefixes'] === undefined ? {} : { maxPrefixes: wholeNumber(flags, 'max-prefixes', 1, 100_000) }),
    ...(flags.loop === undefined ? {} : { loop: flags.loop === true }),
    ...(withdrawKey === undefined ? {} : { withdrawKey: String(withdrawKey) }),
    speed: speedOf(String(flags.speed ?? '1')),
    associationTtlMs: duration(flags, 'association-ttl', DEFAULT_TTL),
    sessionTakesList: flags['fixed-list'] !== true,
    acceptsWithoutPrefixes: flags['refuse-without-prefixes'] !== true,
    sessionLingerMs: duration(flags, 'session-linger', '0s'),
    dataApiLagMs: duration(flags, 'data-api-lag', DEFAULT_LAG),
    timestamps: choice(flags, 'timestamps', ['now', 'original'] as const, 'now'),
    announceOnSubscribe: flags['announce-on-subscribe'] === true,
    control: flags['enable-control'] === true,
  };
}

function speedOf(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = /^[0-9]{1,6}(\.[0-9]{1,3})?$/.test(text) ? Number(text) : 0;
  if (speed === 0)
    throw new UsageError(`--speed: expected a number above 0 such as 10 or 0.5, or max, got ${JSON.stringify(text)}`);
  return speed;
}

function wholeNumber(flags: Arguments['flags'], name: string, min: number, max: number): number {
  const text = String(flags[name]);
  const number = /^[0-9]{1,10}$/.test(text) ? Number(text) : -1;
  if (number < min || number > max)
    throw new UsageError(`--${name}: expected a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`);
  return number;
}

function duration(flags: Arguments['flags'], name: string, fallback: string): number {
  const text = String(flags[name] ?? fallback);
  const ms = parseDuration(text);
  if (ms === undefined) {
    const said = `expected a duration such as ${formatDuration(90_000)} or 4h, got ${JSON.stringify(text)}`;
    throw new UsageError(`--${name}: ${said}`);
  }
  return ms;
}

function choice<T extends string>(flags: Arguments['flags'], name: string, known: readonly T[], fallback: T): T {
  const text = flags[name];
  if (text === undefined) return fallback;
  const chosen = known.find((one) => one === text);
  if (chosen === undefined)
    throw new UsageError(`--${name}: expected ${known.join(' or ')}, got ${JSON.stringify(text)}`);
  return chosen;
}

async function readScenario(path: string): Promise<Scenario> {
  const { parseScenario } = await import('../../simulator/scenario/scenario.ts');
  let text: string;
  try {
    text = readTextFile(path);
  } catch (cause) {
    throw new ConfigError([`${path}: it cannot be read: ${fileFault(cause)}`], cause, 'scenario');
  }
  const result = parseScenario(text);
  if (!result.ok)
    throw new ConfigError(
      result.problems.map((problem) => `${path}: ${problem}`),
      undefined,
      'scenario',
    );
  return result.scenario;
}

function startFailure(error: unknown, { listen, rtrListen }: Pick<SimulatorOptions, 'listen' | 'rtrListen'>): unknown {
  if (error instanceof ExporterError && error.code === 'RECORDING')
    return new ConfigError([error.message], error, 'recording');
  const { code, port } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL' && code !== 'ENOTFOUND') return error;
  const isRtr = rtrListen !== undefined && parseTcpAddress(rtrListen)?.port === port;
  const reason =
    code === 'EADDRINUSE'
      ? `another program listens there, maybe another simulator; end it, or take a free port with --${isRtr ? 'rtr-listen' : 'listen'}=127.0.0.1:0`
      : (error as Error).message;
  return new ListenError(`cannot listen on ${isRtr ? rtrListen : listen}: ${reason}`, error);
}

/** How this program was started: what is printed is to be pasted, and the package may not be installed. */
function programName(): string {
  const [, script = ''] = process.argv;
  const fromHere = relative(process.cwd(), script);
  if (basename(script) !== 'main.js')
    return script.includes('node_modules') ? 'npx bgproutes-exporter' : 'bgproutes-exporter';
  return `node ${/^[\w./-]+$/.test(fromHere) && !fromHere.startsWith('..') ? fromHere : JSON.stringify(script)}`;
}

/** Where it is, and a command to copy. A key that is not the default one is not printed. */
function welcome(simulator: Simulator, options: SimulatorOptions, keys: readonly string[]): string {
  const prefixes = simulator.prefixes().slice(0, options.maxPrefixes ?? 10);
  // A shell would read angle brackets as a redirection.
  const key = keys[0] === SIMULATOR_KEY ? SIMULATOR_KEY : 'YOUR_API_KEY';
  const lines = [
    ...prefixes.slice(0, 10).map((prefix) => `--prefix=${prefix}`),
    `--bgproutes.websocket-url=${simulator.websocketUrl}`,
    `--bgproutes.live-manager-url=${simulator.url}`,
    `--bgproutes.data-api-url=${simulator.url}`,
  ];
  const vps = simulator.vantagePoints().filter((vp) => vp.isLive).length;
  return `Simulator of bgproutes.io on ${simulator.url}: ${vps} vantage points, ${simulator.prefixes().length} prefixes.
${options.replay === undefined ? '' : 'The recording starts when the first client has subscribed and connected.\n'}Point the exporter at it:

  BGP_API_KEY=${key} ${programName()} \\
    ${lines.join(' \\\n    ')}
${simulator.rtrPort === 0 ? '' : `\nVRPs and ASPAs are served over RTR on port ${simulator.rtrPort}.\n`}
Ctrl-C stops it.
`;
}
