/** `bgproutes-exporter help [COMMAND]` and `--help`. */
import { UsageError, unknownCommand } from './arguments.ts';
import type { Command } from './command.ts';
import { foldHelp, widthOf } from './terminal/folding.ts';

/** Gives a command by its name, or undefined. */
export type FindCommand = (name: string) => Promise<Command | undefined>;

/** The overview: what there is, then what runs without a command. */
export function overview(commands: readonly Command[], serve: Command): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}\n`).join('');
  return `Prometheus and OpenTelemetry exporter for live BGP streams: bgproutes.io, RIPE RIS Live, Kafka.

Usage: bgproutes-exporter [command] [flags]

Commands:
${list}
bgproutes-exporter COMMAND --help prints the help of a command. Without a command serve runs:

${serve.help}`;
}

/** Needs the table of all commands, because its output lists them. */
export function helpCommand(all: () => Promise<readonly Command[]>): Command {
  return {
    name: 'help',
    summary: 'Print the help of a command',
    help: `Usage: bgproutes-exporter help [COMMAND]

Prints the help of a command, or the list of all commands.

Example:
  bgproutes-exporter help simulate
`,

    async run(args, io) {
      if (args.length > 1) throw new UsageError(`unexpected argument "${args[1]}"`);
      const commands = await all();
      const [name] = args;
      const command = commands.find((each) => each.name === name);
      if (name !== undefined && command === undefined) {
        throw unknownCommand(
          name,
          commands.map((each) => each.name),
        );
      }
      const serve = commands.find((each) => each.name === 'serve') ?? commands[0];
      io.stdout.write(foldHelp(command?.help ?? overview(commands, serve), widthOf(io.stdout)));
      return 0;
    },
  };
}
