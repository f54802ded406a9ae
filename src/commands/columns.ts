/** Rows of texts as columns for people. */

/** Invisible characters, line separators, changes of direction: the texts are a stranger's. */
const UNSAFE = /[\p{C}\u2028\u2029]/gu;

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
}

/** Widths that fit these rows; of the last column none is needed unless it stands to the right. */
export function widthsOf(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  return columns.map(({ title, right }, i) => {
    if (i === columns.length - 1 && right !== true) return 0;
    return rows.reduce((width, row) => Math.max(width, row[i].length), title.length);
  });
}

/** One line without its newline and without blanks at its end. */
export function columnLine(columns: readonly Column[], widths: readonly number[], row: readonly string[]): string {
  return row
    .map((text, i) => {
      const clean = text.replace(UNSAFE, ' ');
      return columns[i].right === true ? clean.padStart(widths[i]) : clean.padEnd(widths[i]);
    })
    .join('  ')
    .trimEnd();
}

export function titlesOf(columns: readonly Column[]): string[] {
  return columns.map(({ title }) => title);
}
