/** `bgproutes-exporter demo`: the simulator and the exporter against it, in one process; tells what happens as it happens. */
import { type Config, loadConfig } from '../../config/config.ts';
import { formatDuration } from '../../config/duration.ts';
import { anyOf, type FlagValues } from '../../config/flags.ts';
import { LOG_LEVELS } from '../../config/values/log-words.ts';
import { DEFAULTS } from '../../defaults.ts';
import type { RunningExporter } from '../../exporter.ts';
import { createLogger } from '../../logger.ts';
import type { Simulator } from '../../simulator/contract.ts';
import { SIMULATOR_KEY } from '../../simulator/default-key.ts';
import { DEMO_SCENARIO, LONG_SCENARIO } from '../../simulator/scenario/demo-scenario.ts';
import { BELOW_TIME, stepLine } from '../../simulator/scenario/step-line.ts';
import type { StepReport } from '../../simulator/scenario/steps.ts';
import { SIMULATED_SOURCES, type SimulatedSource } from '../../simulator/services/source-names.ts';
import { buildInfo } from '../../version.ts';
import { type Arguments, type Flag, formatFlags, parseArguments, UsageError } from '../arguments.ts';
import { aborted, type Command, type CommandIo } from '../command.ts';
import { choiceOf } from '../service.ts';
import { foldMessage } from '../terminal/folding.ts';
import { LineOutput, type Paint } from '../terminal/line-output.ts';
import { alertLine } from './demo-alerts.ts';
import { exporterSays, Told } from './demo-words.ts';

/** How long the exporter may take to hear of a step; then its numbers are shown as they are. */
const HEARD_LIMIT_MS = 2_000;
const HEARD_POLL_MS = 20;
/** How long the events wait for a table that is complete: on a busy machine that takes seconds. */
const COMPLETE_LIMIT_MS = 60_000;
/** A further wait for events after which both sides count the same as before, such as the last VP of a hijack. */
const SETTLE_MS = 60;

/** An interval that is shorter than a file may set for the real service, because VPs of the scenario are down for seconds. */
const VP_POLL_MS = 5_000;

/** Lines of what happened last that the page shows. */
const PAGE_LINES = 4;

const PACES = ['quick', 'long'] as const;

const FLAGS: readonly Flag[] = [
  { name: 'web.listen-address', value: 'HOST:PORT', help: `Where to listen [:${DEFAULTS.web.port}: all interfaces].` },
  { name: 'speed', value: 'N', help: 'How many times faster than real time, 0.1 to 20 [1].' },
  {
    name: 'pace',
    value: PACES.join('|'),
    help: 'The first round: quick takes five minutes; long takes an hour, with events that last long enough for the alerts, like all later rounds [quick].',
  },
  {
    name: 'source',
    value: SIMULATED_SOURCES.join('|'),
    repeatable: true,
    help: 'Which simulated service the exporter reads: bgproutes.io, or RIPE RIS Live, which has fewer vantage points. For both give it twice [bgproutes].',
  },
  { name: 'seed', value: 'N', help: 'Another number makes another Internet [1].' },
  {
    name: 'log.level',
    value: 'LEVEL',
    help: `Log of the exporter on standard error: ${anyOf(LOG_LEVELS)} [error].`,
  },
];

export const demoCommand: Command = {
  name: 'demo',
  summary: 'Run the exporter with a simulated Internet: no key, network or server needed',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter demo [flags]

Starts a simulated Internet and an exporter that reads it, prints what to open, and prints a line for everything that
happens: an outage, a hijack, a path change, a recovery and more within five minutes. In the rounds of an hour after that,
the same events last long enough for the bundled alerts; the demo prints which alert will fire.

Flags:
${formatFlags(FLAGS)}
Examples:
  bgproutes-exporter demo --source=ris-live
  bgproutes-exporter demo --web.listen-address=127.0.0.1:9000 --speed=2
`,

  async run(args, io) {
    const { flags } = parseArguments(args, FLAGS);
    const speed = decimal(flags.speed, 'speed', 0.1, 20, 1);
    const seed = decimal(flags.seed, 'seed', 0, 4_294_967_295, 1);
    // Before anything starts: a wrong flag must not leave a simulator behind.
    const sources = sourcesOf(flags);
    demoConfig('ws://localhost', 'http://localhost', sources, flags, io.env);
    const { startSimulator } = await import('../../simulator/simulator.ts');
    const { startExporter } = await import('../../exporter.ts');
    const pace = choiceOf(flags, 'pace', PACES, 'quick');
    const output = new LineOutput(io);
    let exporter: RunningExporter | undefined;
    let simulator: Simulator | undefined;
    const told = new Told();
    const notes: string[] = [];
    let lines = Promise.resolve();
    const onStep = (report: StepReport) => {
      const happened = stepLine(report, Date.now());
      // One after the other, also where the exporter hears of a later one first.
      lines = lines.then(async () => {
        await heard(report, () => exporter, simulator, sources);
        if (exporter === undefined || output.signal.aborted) return;
        const alerts = alertLine(report, speed, true);
        const more = [exporterSays(exporter, report, told), alerts].filter((text) => text !== undefined);
        notes.unshift([happened, alerts].filter((text) => text !== undefined).join('; '));
        notes.length = Math.min(notes.length, PAGE_LINES);
        await output.line(tone(report, foldMessage(happened, io.stdout, BELOW_TIME), output.paint));
        for (const line of more) await output.line(foldMessage(`${BELOW_TIME}${line}`, io.stdout, '  '));
      });
    };
    try {
      const scenario = pace === 'long' ? LONG_SCENARIO : DEMO_SCENARIO;
      // The first event waits for the table: the numbers told with it would not be right before.
      let begin = (): void => {};
      const begins = new Promise<void>((resolve) => {
        begin = resolve;
      });
      simulator = await startSimulator({ apiKeys: [SIMULATOR_KEY], seed, speed, scenario, begins, onStep });
      const config = demoConfig(simulator.websocketUrl, simulator.url, sources, flags, io.env);
      const logger = createLogger({ ...config.log, destination: io.stderr, secrets: [SIMULATOR_KEY] });
      exporter = await startExporter(config, { logger, version: buildInfo(io.env), notes: () => notes });
      const all = simulator.vantagePoints();
      const vps = { all: all.length, heard: all.filter((vp) => isHeard(vp, sources)).length };
      await output.write(welcome(config, exporter.address, vps, speed, pace));
      await tableComplete(exporter, output.signal);
      begin();
      await aborted(output.signal);
    } finally {
      output.end();
      await exporter?.stop();
      await simulator?.stop();
    }
    return 0;
  },
};

/** The configuration file that fits the network of the scenario. */
function demoConfig(
  websocketUrl: string,
  apiUrl: string,
  sources: readonly SimulatedSource[],
  flags: FlagValues,
  env: CommandIo['env'],
): Config {
  const file = {
    prefixes: DEMO_SCENARIO.prefixes.map(({ prefix, description, group, origin, upstreams }) => ({
      prefix,
      description,
      group,
      origins: [origin],
      upstreams,
    })),
    sources,
    bgproutes: { websocket_url: websocketUrl, live_manager_url: apiUrl, data_api_url: apiUrl },
    ris_live: { url: `${websocketUrl}/v1/ws/`, ripestat_url: apiUrl },
    // A network that changes this fast is looked at more often than a real one; its Data API does not lag.
    table: { reseed_interval: '1m', data_api_lag: '0s' },
    rpki: { sources: [{ url: `${apiUrl}/rpki.json`, interval: '10s' }] },
    log: { level: 'error' },
  };
  const config = loadConfig({
    flags: {
      'web.listen-address': flags['web.listen-address'],
      'log.level': flags['log.level'],
      'config.file': 'demo.yml',
    },
    // The demo reads from the environment only where metrics are pushed to. It must not see a real key.
    env: {
      ...Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('OTEL_'))),
      BGP_API_KEY: SIMULATOR_KEY,
    },
    readFile: () => JSON.stringify(file), // JSON is YAML
  });
  return { ...config, table: { ...config.table, vpPollIntervalMs: VP_POLL_MS } };
}

function welcome(
  config: Config,
  address: string | undefined,
  vps: { readonly all: number; readonly heard: number },
  speed: number,
  pace: (typeof PACES)[number],
): string {
  const port = address?.slice(address.lastIndexOf(':') + 1);
  const isLocal = address === undefined || /^(?:0\.0\.0\.0|\[::\]|127\.0\.0\.1|\[::1\]):/.test(address);
  const base = `http://${isLocal ? `localhost:${port}` : address}`;
  const lasting = (ms = 0): string => formatDuration(Math.round(ms / speed / 1000) * 1000);
  const hours = lasting(LONG_SCENARIO.loop_every);
  const rounds =
    pace === 'quick'
      ? `First a quick round of ${lasting(DEMO_SCENARIO.loop_every)}, whose
events are too short for the alerts, then rounds of ${hours} in which they are not.`
      : `In rounds of ${hours}, long enough for the alerts.`;
  // Else the two numbers of a step contradict one another.
  const counted =
    vps.heard === vps.all
      ? ''
      : `\n\nThe simulated Internet has ${vps.all} VPs, of which the source delivers ${vps.heard}. What happens is
told for all of them, the metrics count those that are delivered.`;
  return `The exporter watches ${config.prefixes.length} prefixes through ${vps.heard} simulated vantage points (VPs). Open

  ${base}${config.web.telemetryPath}   the metrics
  ${base}/          a page for people

What happens, as it happens (Ctrl-C stops). ${rounds}${counted}

`;
}

/** Resolves when the table is complete; soon after the signal, and after `limitMs` (ms) all the same. */
export async function tableComplete(
  { figures }: Pick<RunningExporter, 'figures'>,
  signal: AbortSignal,
  limitMs = COMPLETE_LIMIT_MS,
): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (!figures.seeded && !signal.aborted && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, HEARD_POLL_MS));
  }
}

/** Waits until the exporter has heard of a step: until both sides count the same VPs for every prefix. */
async function heard(
  { kind }: StepReport,
  exporter: () => RunningExporter | undefined,
  simulator: Simulator | undefined,
  sources: readonly SimulatedSource[],
): Promise<void> {
  const limitMs = performance.now() + (kind === 'vp_loss' ? VP_POLL_MS + HEARD_LIMIT_MS : HEARD_LIMIT_MS);
  const agree = (): boolean => {
    const states = exporter()?.table.prefixes.states() ?? [];
    return [...states].every(({ prefix, visible }) => visible === seenBy(simulator, prefix.text, sources));
  };
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  while (!agree() && performance.now() < limitMs) await new Promise((resolve) => setTimeout(resolve, HEARD_POLL_MS));
}

/** The sources that were asked for, each once. */
function sourcesOf({ source = [] }: Arguments['flags']): readonly SimulatedSource[] {
  const given = (Array.isArray(source) ? source : [source]).map(String);
  for (const text of given) choiceOf({ source: text }, 'source', SIMULATED_SOURCES, 'bgproutes');
  const chosen = SIMULATED_SOURCES.filter((name) => given.includes(name));
  return chosen.length === 0 ? ['bgproutes'] : chosen;
}

/** RIS Live has its own peers alone, bgproutes.io all that stream live. */
function isHeard({ isLive, protocol, source }: HeardVp, sources: readonly SimulatedSource[]): boolean {
  return isLive && (sources.includes('bgproutes') || (source === 'ris' && protocol === 'bgp'));
}

type HeardVp = Pick<ReturnType<Simulator['vantagePoints']>[number], 'isLive' | 'protocol' | 'source'>;

/** VPs that see the prefix and that the exporter hears of. */
function seenBy(simulator: Simulator | undefined, prefix: string, sources: readonly SimulatedSource[]): number {
  if (simulator === undefined || sources.includes('bgproutes')) return simulator?.visibleVps(prefix) ?? 0;
  const heard = new Set(simulator.vantagePoints().flatMap((vp) => (isHeard(vp, sources) ? vp.key : [])));
  return [...simulator.routes()].filter((route) => route.prefix === prefix && heard.has(route.vpKey)).length;
}

function tone({ kind, vpsBefore, vpsAfter }: StepReport, line: string, paint: Paint): string {
  const bad = kind === 'outage' || kind === 'hijack' || kind === 'subprefix_hijack';
  const good = kind === 'recovery' || (kind === 'vp_loss' && vpsAfter > vpsBefore);
  return paint(bad ? 'red' : good ? 'green' : 'yellow', line);
}

function decimal(value: unknown, name: string, min: number, max: number, fallback: number): number {
  if (value === undefined) return fallback;
  const number = typeof value === 'string' && /^[0-9]{1,10}(?:\.[0-9]{1,3})?$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max && (name !== 'seed' || Number.isInteger(number))) return number;
  const kind = name === 'seed' ? 'a whole number' : 'a number';
  throw new UsageError(`--${name}: expected ${kind} from ${min} to ${max}, got ${JSON.stringify(value)}`);
}
