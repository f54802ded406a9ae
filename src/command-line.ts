/** The process edge: arguments, environment, exit code. The table of commands. */
import { UsageError, unknownCommand } from './commands/arguments.ts';
import type { Command, CommandIo } from './commands/command.ts';
import { foldHelp, foldMessage, widthOf } from './commands/terminal/folding.ts';
import { flushed, isReaderGone } from './commands/terminal/line-output.ts';
import { tooManyFiles } from './errors/open-files.ts';
import { ConfigError, ExporterError } from './errors.ts';
import { errorText, redactor } from './secrets/redaction.ts';
import { buildInfo, formatVersion } from './version.ts';

/** Each is imported only when it is asked for: the start of one must not pay for the others. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/run/serve.ts')).serveCommand,
  simulate: async () => (await import('./commands/simulator/simulate.ts')).simulateCommand,
  demo: async () => (await import('./commands/simulator/demo.ts')).demoCommand,
  ingest: async () => (await import('./commands/run/ingest.ts')).ingestCommand,
  fleet: async () => (await import('./commands/fleet.ts')).fleetCommand,
  'check-config': async () => (await import('./commands/check/check-config.ts')).checkConfigCommand,
  healthcheck: async () => (await import('./commands/check/healthcheck.ts')).healthcheckCommand,
  tail: async () => (await import('./commands/look/tail.ts')).tailCommand,
  watch: async () => (await import('./commands/look/watch.ts')).watchCommand,
  vps: async () => (await import('./commands/look/vps.ts')).vpsCommand,
  rib: async () => (await import('./commands/look/rib.ts')).ribCommand,
  rpki: async () => (await import('./commands/look/rpki.ts')).rpkiCommand,
  subscribe: async () => (await import('./commands/look/subscribe.ts')).subscribeCommand,
  completion: async () => (await import('./commands/completion.ts')).completionCommand(allCommands),
  help: async () => (await import('./commands/help.ts')).helpCommand(allCommands),
};

/** The spellings that people try. No command has a flag of one letter. */
const VERSION_FLAGS: readonly string[] = ['--version', '-v', '-V'];

const DEFAULT_COMMAND = 'serve';

/** Errors of a full disk: they pass when there is room again. */
const DISK_FULL = new Set<unknown>(['ENOSPC', 'EDQUOT']);

/** On a full disk, lines of the log are lost. That must neither end the program nor close the log for later lines. */
function surviveFullDisk(log: NodeJS.WriteStream): void {
  const write = log._write.bind(log);
  log._write = (chunk, encoding, callback) => {
    write(chunk, encoding, (error?: NodeJS.ErrnoException | null) =>
      callback(DISK_FULL.has(error?.code) ? null : error),
    );
  };
}

/** Loads every command. */
export function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(COMMANDS).map((load) => load()));
}

/** Runs one command line; resolves with the exit code. */
async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const [first] = args;
  const named = first !== undefined && !first.startsWith('-');
  const name = named ? first : DEFAULT_COMMAND;
  const rest = named ? args.slice(1) : args;
  const flags = rest.slice(0, rest.includes('--') ? rest.indexOf('--') : undefined);
  if (!Object.hasOwn(COMMANDS, name)) {
    throw unknownCommand(name, Object.keys(COMMANDS));
  }
  if (flags.some((flag) => VERSION_FLAGS.includes(flag))) {
    io.stdout.write(`${foldMessage(formatVersion(buildInfo(io.env)), io.stdout)}\n`);
    return 0;
  }
  if (flags.includes('--help') || flags.includes('-h')) {
    if (!named) return run(['help'], io);
    io.stdout.write(foldHelp((await COMMANDS[name]()).help, widthOf(io.stdout)));
    return 0;
  }
  const command = await COMMANDS[name]();
  // Told to stop before the command was loaded: a command that has not begun needs no stop.
  return io.signal.aborted ? 0 : command.run(rest, io);
}

/** Runs the command of the process and ends it. `stop` is aborted by the first signal to stop. */
export async function runProcess(stop: AbortSignal): Promise<void> {
  const { env, stdout, stderr } = process;
  const redact = redactor(env.BGP_API_KEY !== undefined ? [env.BGP_API_KEY.trim()] : []);
  const tell = (text: string): void => void stderr.write(`${foldMessage(text, stderr)}\n`);
  let reportFatal = (text: string): void => {
    tell(`bgproutes-exporter: ${text}`);
  };
  const fatal = (error: unknown): never => {
    // The message of an error that the program throws on purpose is enough. Any other error is a bug, and shows its stack.
    const files = tooManyFiles(error);
    if (files !== undefined) reportFatal(files);
    else if (error instanceof ExporterError) reportFatal(redact(error.message));
    else reportFatal(error instanceof Error ? redact(error.stack ?? error.message) : errorText(error, redact));
    process.exit(1);
  };
  process.on('uncaughtException', fatal);
  surviveFullDisk(stderr);
  for (const output of [stdout, stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      // The reader has gone (a closed pipe): there is nobody to tell, and nothing is wrong with the exporter.
      if (isReaderGone(error)) return;
      const name = output === stdout ? 'output' : 'error';
      fatal(new ExporterError('OUTPUT', `standard ${name} cannot be written: ${error.message}`, { actor: 'operator' }));
    });
  }

  const io: CommandIo = {
    env,
    stdout,
    stderr,
    signal: stop,
    onHangup: (listener) => {
      process.on('SIGHUP', listener);
      return () => process.off('SIGHUP', listener);
    },
    onFatal: (report) => {
      reportFatal = report;
    },
  };
  try {
    process.exitCode = await run(process.argv.slice(2), io);
  } catch (error) {
    if (error instanceof ConfigError) {
      const { problems, subject } = error;
      const head = problems.length === 1 ? `the ${subject} is wrong` : `the ${subject} has ${problems.length} problems`;
      tell([`bgproutes-exporter: ${head}:`, ...problems.map((problem) => `  ${problem}`)].join('\n'));
      process.exitCode = 2;
    } else if (error instanceof UsageError) {
      const [word = ''] = process.argv.slice(2);
      const command = Object.hasOwn(COMMANDS, word) ? ` ${word}` : '';
      // A word in the wrong place is quoted, and may be the key.
      tell(`bgproutes-exporter: ${redact(error.message)}\nSee bgproutes-exporter${command} --help.`);
      process.exitCode = 2;
    } else {
      fatal(error);
    }
  }
  // A command that is done must end the process, whatever timer or socket a library still holds.
  await flushed([stdout, stderr], stop);
  process.exit();
}
