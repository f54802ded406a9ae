/** Writes man/bgproutes-exporter.1 from the help texts: `npm run docs:man`. A test says when the file is stale. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allCommands } from '../src/command-line.ts';
import { type Flag, GENERAL_FLAGS } from '../src/commands/arguments.ts';
import type { Command } from '../src/commands/command.ts';

export const MAN_PAGE = fileURLToPath(new URL('../man/bgproutes-exporter.1', import.meta.url));

/** When the page was last put into another form; its content is that of the version that it names. */
const WRITTEN = '2026-11-28';

/** A page in the macros of man(7). */
export async function manPage(): Promise<string> {
  const commands = await allCommands();
  const { version, description } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as Readonly<Record<'version' | 'description', string>>;
  return [
    '.\\" Written by "npm run docs:man" from the help texts.',
    `.TH BGPROUTES-EXPORTER 1 ${WRITTEN} "bgproutes-exporter ${version}"`,
    // Ragged on the right: a long word leaves no gaps between the others.
    '.ad l',
    '.SH NAME',
    `bgproutes-exporter \\- ${text(description.replace(/:.*$/, ''))}`,
    '.SH SYNOPSIS',
    '.B bgproutes-exporter',
    '[\\fIcommand\\fR] [\\fIflags\\fR]',
    '.SH DESCRIPTION',
    'Without a command,',
    '.B serve',
    'runs.',
    '.SH COMMANDS',
    ...commands.flatMap(commandPart),
    '.SH EXIT STATUS',
    ...tagged('0', 'Done, or stopped in order.'),
    ...tagged('1', 'It failed; the last line of standard error says why.'),
    ...tagged('2', 'The command line or the configuration is wrong; every problem is named.'),
    '.SH SEE ALSO',
    '.BR prometheus (1),',
    '.BR promtool (1)',
    '',
  ].join('\n');
}

function commandPart({ name, summary, help, flags = [] }: Command): string[] {
  const lines = [`.SS ${text(name)}`, ...prose(`${summary}.`)];
  for (const block of help.trim().split(/\n{2,}/)) lines.push(...blockPart(block.split('\n'), flags));
  return lines;
}

function blockPart(block: readonly string[], flags: readonly Flag[]): string[] {
  const [first, ...rest] = block;
  if (first.startsWith('Usage: ')) return literal([first.slice('Usage: '.length), ...rest.map((line) => line.trim())]);
  if (first === 'Flags:') return ['.PP', 'Flags:', ...[...flags, ...GENERAL_FLAGS].flatMap(flagPart)];
  if (rest.length > 0 && first.endsWith(':')) return ['.PP', text(first), ...literal(rest)];
  return wordsOf(block);
}

/**
 * A paragraph, or a list: a line such as `check  Says what is wrong` or `v1: FIELDS` begins an entry, and
 * indented lines continue it.
 */
function wordsOf(block: readonly string[]): string[] {
  const paragraphs: { tag?: string; words: string }[] = [];
  for (const line of block) {
    const [, tag, words] = /^(\S+) {2,}(\S.*)$/.exec(line) ?? /^(v\d): (\S.*)$/.exec(line) ?? [];
    const last = paragraphs.at(-1);
    if (tag !== undefined) paragraphs.push({ tag, words });
    else if (last !== undefined && (last.tag === undefined || line.startsWith(' '))) last.words += ` ${line.trim()}`;
    else paragraphs.push({ words: line.trim() });
  }
  return paragraphs.flatMap(({ tag, words }) =>
    tag === undefined ? ['.PP', ...prose(words)] : ['.TP', `.B ${text(tag)}`, ...prose(words)],
  );
}

function flagPart({ name, value, help }: Flag): string[] {
  const shown = value === undefined ? '' : `=\\fI${text(value)}\\fR`;
  return ['.TP', `\\fB${text(`--${name}`)}\\fR${shown}`, ...prose(help)];
}

function tagged(tag: string, words: string): string[] {
  return ['.TP', `.B ${tag}`, words];
}

/** Words that are filled into paragraphs: lines of at most 80 bytes, as roff wants its input. */
function prose(words: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && Buffer.byteLength(text(longer)) > 80) {
      lines.push(text(line));
      line = word;
    } else line = longer;
  }
  return [...lines, text(line)];
}

/** Lines that stay as they are. */
function literal(lines: readonly string[]): string[] {
  return ['.PP', '.nf', '.RS', ...lines.map((line) => text(line.replace(/^ {2}/, ''))), '.RE', '.fi'];
}

/** Words as roff reads them: no macro at the start of a line, and hyphens that can be copied. */
function text(words: string): string {
  const plain = words.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...');
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(dirname(MAN_PAGE), { recursive: true });
  writeFileSync(MAN_PAGE, await manPage());
}
