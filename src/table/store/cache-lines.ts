/** Records that begin where a line of the processor's cache begins: a record then costs one wait for memory, not two. */

/** Words of a line. */
export const LINE_WORDS = 16;
/**
 * Where lines begin in their buffer: with the C library of most systems a large one begins 16 bytes behind a page, and a
 * line is then a line of the cache too. Elsewhere it is only as fast as two of them.
 */
const LINES_AT = 48;

/** So many lines, all 0. */
export function linesOf(count: number): Int32Array<ArrayBuffer> {
  return new Int32Array(new ArrayBuffer(LINES_AT + 4 * count * LINE_WORDS), LINES_AT);
}
