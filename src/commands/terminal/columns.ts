/** Rows of texts as columns for people. */

/** Invisible characters, line separators, changes of direction: the texts are a stranger's. */
const UNSAFE = /[\p{C}\u2028\u2029]/gu;

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** On a narrow terminal the column with the lowest number goes first; one without a number stays. */
  readonly goes?: number;
}

const GAP = 2;
/** A last column with less room than this is useless, characters. */
const MIN_LAST = 12;

/**
 * Columns and rows that fit a terminal: whole columns go, and texts of the last one that are too long are cut.
 * @param width characters; undefined: all columns, as they are
 */
export function fitted(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): { readonly columns: readonly Column[]; readonly rows: readonly (readonly string[])[] } {
  if (width === undefined) return { columns, rows };
  const { kept, left } = columnsThatFit(columns, rows, width, MIN_LAST);
  const cut = (text: string): string => (text.length <= left ? text : `${text.slice(0, left - 1)}…`);
  return {
    columns: kept.map((i) => columns[i]),
    rows: rows.map((row) => kept.map((i, place) => (place === kept.length - 1 ? cut(row[i]) : row[i]))),
  };
}

/**
 * Which columns, by their places, a terminal has room for, and how many characters of it are left for the last one of them
 * (at least 1).
 * @param minLast so many are enough for a last column whose texts are longer
 */
export function columnsThatFit(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  minLast: number,
): { readonly kept: readonly number[]; readonly left: number } {
  const widths = widthsOf(columns, rows);
  let kept = columns.map((_, i) => i);
  const room = () => width - kept.slice(0, -1).reduce((sum, i) => sum + widths[i] + GAP, 0);
  const longest = () => {
    const last = kept[kept.length - 1];
    return rows.reduce((most, row) => Math.max(most, row[last].length), columns[last].title.length);
  };
  while (room() < Math.min(minLast, longest())) {
    const [next] = kept
      .filter((i) => columns[i].goes !== undefined)
      .sort((a, b) => (columns[a].goes ?? 0) - (columns[b].goes ?? 0));
    if (next === undefined) break;
    kept = kept.filter((i) => i !== next);
  }
  return { kept, left: Math.max(1, room()) };
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
