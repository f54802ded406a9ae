/** The command line of one command: strict, with the message that helps. */
import { parseArgs } from 'node:util';
import { parsePrefix } from '../bgp/prefix.ts';
import { ExporterError } from '../errors.ts';
import { suggestion } from '../input/suggestion.ts';

/** The command line is wrong; exit code 2. Values of flags are never part of the message: one may be a key. */
export class UsageError extends ExporterError {
  constructor(message: string) {
    super('USAGE', message, { actor: 'operator' });
  }
}

export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** The word for the value in the help; undefined when the flag takes no value. */
  readonly value?: string | undefined;
  readonly repeatable?: boolean;
  readonly help: string;
}

export interface Arguments {
  /** By name: a text, true or false, or a list for a repeatable flag. Absent when not given. */
  readonly flags: Readonly<Record<string, string | boolean | readonly string[]>>;
  readonly positionals: readonly string[];
}

/**
 * Reads `--flag=value`, `--flag value`, `--flag` and `--no-flag` (flags without a value), and `--` before positionals.
 * `positionals` are the names of those that are needed; one in brackets, as `[FILE]`, may be left out.
 * @throws UsageError for the first thing that is wrong.
 */
export function parseArguments(
  args: readonly string[],
  known: readonly Flag[],
  positionals: readonly string[] = [],
): Arguments {
  const byName = new Map(known.map((flag) => [flag.name, flag]));
  const options: Record<string, { type: 'string' | 'boolean'; multiple: true }> = {};
  for (const { name, value } of known)
    options[name] = { type: value === undefined ? 'boolean' : 'string', multiple: true };
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const flags: Record<string, string | boolean | string[]> = {};
  const given: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') given.push(token.value);
    if (token.kind !== 'option') continue;
    const negated = token.name.startsWith('no-') && byName.get(token.name.slice(3))?.value === undefined;
    const flag = byName.get(token.name) ?? (negated ? byName.get(token.name.slice(3)) : undefined);
    if (flag === undefined) throw new UsageError(unknownFlag(args[token.index], byName.keys()));
    if (flag.value === undefined) {
      if (flags[flag.name] !== undefined) throw new UsageError(`--${flag.name} is given twice`);
      if (token.value !== undefined && !/^(?:true|false)$/.test(token.value)) {
        throw new UsageError(`--${flag.name} takes no value`);
      }
      flags[flag.name] = (token.value !== 'false') !== (token.name !== flag.name);
      continue;
    }
    // `--prefix --log.level=debug`: the next flag is not the value. A value that starts with a dash is written with `=`.
    if (token.value === undefined || (!token.inlineValue && /^-./.test(token.value))) {
      throw new UsageError(`--${flag.name} needs a value: --${flag.name}=${flag.value}`);
    }
    const former = flags[flag.name];
    if (flag.repeatable) flags[flag.name] = [...(Array.isArray(former) ? former : []), token.value];
    else if (former === undefined) flags[flag.name] = token.value;
    else throw new UsageError(`--${flag.name} is given twice`);
  }
  const extra = given[positionals.length];
  if (extra !== undefined) {
    const isPrefix = byName.has('prefix') && parsePrefix(extra) !== undefined;
    throw new UsageError(`unexpected argument "${extra}"${isPrefix ? `, did you mean --prefix=${extra}?` : ''}`);
  }
  const missing = positionals[given.length];
  if (missing !== undefined && !missing.startsWith('[')) throw new UsageError(`${missing} is missing`);
  return { flags, positionals: given };
}

/** The error for a first word that is not a command, with the command that was probably meant. */
export function unknownCommand(word: string, known: Iterable<string>): UsageError {
  const meant =
    word === 'version' ? '--version' : parsePrefix(word) === undefined ? suggestion(word, known) : `--prefix=${word}`;
  return new UsageError(`unknown command "${word}"${meant === undefined ? '' : `, did you mean ${meant}?`}`);
}

function unknownFlag(argument: string, known: Iterable<string>): string {
  const [word] = argument.split('=', 1);
  const letter = /^-[vV]$/.test(word) ? 'version' : undefined;
  const near = letter ?? suggestion(word.replace(/^-+/, ''), [...known, ...GENERAL_FLAGS.map(({ name }) => name)]);
  return `unknown flag ${word}${near === undefined ? '' : `, did you mean --${near}?`}`;
}

/** What every command has. */
export const GENERAL_FLAGS: readonly Flag[] = [
  { name: 'help', help: 'Print this help and end.' },
  { name: 'version', help: 'Print the version and end.' },
];

/** The flags as a help text: two columns; folded by whoever prints it (folding.ts). */
export function formatFlags(own: readonly Flag[]): string {
  const flags = [...own, ...GENERAL_FLAGS];
  const left = flags.map(({ name, value }) => `  --${name}${value === undefined ? '' : `=${value}`}`);
  const width = Math.max(...left.map((text) => text.length)) + 2;
  return flags.map(({ help }, i) => `${left[i].padEnd(width)}${help}\n`).join('');
}
