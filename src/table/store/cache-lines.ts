/** Records that begin where a line of the processor's cache begins: a record then costs one wait for memory, not two. */

/** Words of a line. */
export const LINE_WORDS = 16;
/**
 * Offset of the lines in their buffer. glibc puts a large allocation 16 bytes after a page boundary; with this offset each
 * record starts on a cache line. With another allocator a record may touch two lines: slower, still right.
 */
const LINES_AT = 48;

/** A buffer of this many lines, filled with 0. */
export function linesOf(count: number): Int32Array<ArrayBuffer> {
  return new Int32Array(new ArrayBuffer(LINES_AT + 4 * count * LINE_WORDS), LINES_AT);
}
