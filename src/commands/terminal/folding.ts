/** Texts for people, folded to the width of their terminal. */

/** The width for an output that is not a terminal, or does not tell its width. */
const USUAL_WIDTH = 80;
/** Longer lines are hard to read. */
const MAX_WIDTH = 100;
const MIN_WIDTH = 40;
/** A second column that would be narrower than this goes below the first one. */
const MIN_COLUMN = 24;
const BELOW = 6;

/** One thing that is folded on its own: what stands before the text, and how far the lines after the first are indented. */
interface Block {
  readonly kind: 'prose' | 'columns' | 'command' | 'line';
  readonly head: string;
  text: string;
}

/** What is known of the width of an output. */
export interface CommandOutputWidth {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** The width for a text on this output, columns. */
export function widthOf({ columns }: { readonly columns?: number | undefined }): number {
  return Math.min(Math.max(columns ?? USUAL_WIDTH, MIN_WIDTH), MAX_WIDTH);
}

/**
 * A help text with no line over the width, but for words that are longer. Lines of a paragraph are joined and folded; of two
 * columns the second one is folded; a command is broken with backslashes, so that it can be pasted.
 */
export function foldHelp(help: string, width: number): string {
  const lines: string[] = [];
  let block: Block | undefined;
  const flush = (): void => {
    if (block !== undefined) lines.push(...folded(block, width));
    block = undefined;
  };
  for (const line of help.split('\n')) {
    const [, head, text] = /^( *\S+(?: \S+)* {2,})(\S.*)$/.exec(line) ?? [];
    const isIndented = line.startsWith('  ');
    if (line === '') {
      flush();
      lines.push('');
    } else if (head !== undefined) {
      flush();
      block = { kind: 'columns', head, text };
    } else if (/^ {6,}/.test(line) && block?.kind === 'columns') {
      block.text += ` ${line.trim()}`;
    } else if (!isIndented && block?.kind === 'prose') {
      block.text += ` ${line}`;
    } else {
      flush();
      const kind = isIndented ? 'command' : /^Usage:|:$/.test(line) ? 'line' : 'prose';
      block = { kind, head: isIndented ? '  ' : '', text: line.trim() };
    }
  }
  flush();
  return lines.join('\n');
}

function folded({ kind, head, text }: Block, width: number): string[] {
  if (kind === 'columns' && width - head.length < MIN_COLUMN) {
    return [head.trimEnd(), ...foldWords(text, width - BELOW).map((line) => `${' '.repeat(BELOW)}${line}`)];
  }
  const end = kind === 'command' ? ' \\' : '';
  const indent = kind === 'command' || kind === 'line' ? '    ' : ' '.repeat(head.length);
  const parts = foldWords(text, width - Math.max(head.length, indent.length) - end.length);
  return parts.map((part, i) => `${i === 0 ? head : indent}${part}${i < parts.length - 1 ? end : ''}`);
}

/**
 * A message for people. On a terminal a line that is wider is folded between words, and goes on further to the right; for a
 * pipe or a file every line stays whole, so that it can be searched.
 * @param more stands before what goes on, behind the indentation of its line
 */
export function foldMessage(text: string, { isTTY, columns }: CommandOutputWidth, more = '    '): string {
  if (isTTY !== true || columns === undefined) return text;
  const width = Math.max(columns, MIN_WIDTH);
  return text
    .split('\n')
    .map((line) => foldLine(line, width, more))
    .join('\n');
}

function foldLine(line: string, width: number, more: string): string {
  if (line.length <= width) return line;
  const text = line.trimStart();
  const indent = line.slice(0, line.length - text.length);
  let lines = '';
  let last = indent;
  let isNew = true;
  for (const word of text.split(' ')) {
    if (isNew) last += word;
    else if (last.length + 1 + word.length <= width) last += ` ${word}`;
    else if (word !== '') {
      lines += `${last.trimEnd()}\n`;
      last = `${indent}${more}${word}`;
    }
    isNew = false;
  }
  return lines + last;
}

/** Lines of at most so many characters, unless a word is longer. */
export function foldWords(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
