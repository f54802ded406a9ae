/**
 * Where routes are kept: one cell of 16 bytes for each (prefix, VP) in use, in blocks of 64 VPs, blocks in chunks that
 * never move. A table that grows therefore never copies what it has, and a prefix that few VPs see costs little.
 */

export const BLOCK_BITS = 6;
export const BLOCK_SIZE = 1 << BLOCK_BITS;
/** 2^15 cells: half a MiB a chunk. */
const CHUNK_BITS = 15;
const CHUNK_MASK = (1 << CHUNK_BITS) - 1;
const BLOCKS_PER_CHUNK = 1 << (CHUNK_BITS - BLOCK_BITS);
const NO_BLOCK = -1;
const CELL_BYTES = 16;

/**
 * A cell is a number: its chunk above CHUNK_BITS, its place in the chunk below. What an event reads and writes of a cell is
 * side by side, because in a large table finding it costs more than changing it.
 */
export class CellStore {
  /** Each chunk twice, as words and as doubles over the same bytes: of a cell's 16, path and mark (u32), then its time. */
  readonly #words: Uint32Array[] = [];
  readonly #times: Float64Array[] = [];
  readonly #freeBlocks: number[] = [];
  #nextBlock = 0;

  /** Bytes that the chunks take. */
  get bytes(): number {
    return this.#words.length * (CHUNK_MASK + 1) * CELL_BYTES;
  }

  /** Path number of the route held; 0: none. */
  path(cell: number): number {
    return this.#words[cell >>> CHUNK_BITS][(cell & CHUNK_MASK) * 4];
  }

  /** Puts the path in the place of each of the first `count` cells. */
  paths(cells: Int32Array, count: number): void {
    const words = this.#words;
    for (let i = 0; i < count; i++) {
      const cell = cells[i];
      cells[i] = words[cell >>> CHUNK_BITS][(cell & CHUNK_MASK) * 4];
    }
  }

  /**
   * With a route: the fingerprint of its other attributes, 0 when unknown. Without: Unix second of the receipt of the
   * loss while the VP still counts as expected, 0 when it does not.
   */
  mark(cell: number): number {
    return this.#words[cell >>> CHUNK_BITS][(cell & CHUNK_MASK) * 4 + 1];
  }

  /** Time of the newest word about the cell, Unix microseconds; 0 before the first. A sender's stamp, or a time of the history. */
  time(cell: number): number {
    return Math.abs(this.#times[cell >>> CHUNK_BITS][(cell & CHUNK_MASK) * 2 + 1]);
  }

  /** The time as `set` and `setTime` take it: below 0 when the newest word is the history's. */
  signedTime(cell: number): number {
    return this.#times[cell >>> CHUNK_BITS][(cell & CHUNK_MASK) * 2 + 1];
  }

  /** `signedTimeUs` is below 0 for a word of the history. */
  set(cell: number, path: number, mark: number, signedTimeUs: number): void {
    const chunk = cell >>> CHUNK_BITS;
    const at = cell & CHUNK_MASK;
    const words = this.#words[chunk];
    words[at * 4] = path;
    words[at * 4 + 1] = mark;
    this.#times[chunk][at * 2 + 1] = signedTimeUs;
  }

  setTime(cell: number, signedTimeUs: number): void {
    this.#times[cell >>> CHUNK_BITS][(cell & CHUNK_MASK) * 2 + 1] = signedTimeUs;
  }

  setMark(cell: number, mark: number): void {
    this.#words[cell >>> CHUNK_BITS][(cell & CHUNK_MASK) * 4 + 1] = mark;
  }

  /**
   * Counts the cells of a row by a number that each VP has: those that hold a route, and those without one that have a mark.
   * @param end one above the highest VP
   */
  countBy(row: Row, numberOf: Uint16Array, end: number, held: Uint32Array, lost: Uint32Array): void {
    const { blocks } = row;
    for (let at = 0; at < blocks.length; at++) {
      const block = blocks[at];
      if (block === NO_BLOCK) continue;
      const words = this.#words[Math.floor(block / BLOCKS_PER_CHUNK)];
      let word = (block % BLOCKS_PER_CHUNK) << (BLOCK_BITS + 2);
      const last = Math.min(end, (at + 1) << BLOCK_BITS);
      for (let vp = at << BLOCK_BITS; vp < last; vp++, word += 4) {
        if (words[word] !== 0) held[numberOf[vp]]++;
        else if (words[word + 1] !== 0) lost[numberOf[vp]]++;
      }
    }
  }

  /** The cell of a VP in a prefix's row of blocks, or -1 when it was never made. */
  find(row: Row, vp: number): number {
    const block = vp >>> BLOCK_BITS < row.blocks.length ? row.blocks[vp >>> BLOCK_BITS] : NO_BLOCK;
    return block === NO_BLOCK ? -1 : (block << BLOCK_BITS) | (vp & (BLOCK_SIZE - 1));
  }

  /** The first VP from this one on that may have a cell in the row; rows of few VPs are mostly skipped over. */
  nextVp(row: Row, vp: number): number {
    let at = vp >>> BLOCK_BITS;
    if (at < row.blocks.length && row.blocks[at] !== NO_BLOCK) return vp;
    do at++;
    while (at < row.blocks.length && row.blocks[at] === NO_BLOCK);
    return at < row.blocks.length ? at << BLOCK_BITS : Number.POSITIVE_INFINITY;
  }

  /** The cell of a VP, made (all 0) when missing. */
  make(row: Row, vp: number): number {
    const at = vp >>> BLOCK_BITS;
    if (at >= row.blocks.length) {
      while (row.blocks.length <= at) row.blocks.push(NO_BLOCK);
    }
    if (row.blocks[at] === NO_BLOCK) row.blocks[at] = this.#takeBlock();
    return (row.blocks[at] << BLOCK_BITS) | (vp & (BLOCK_SIZE - 1));
  }

  /** Gives back a row's blocks, cleared. */
  free(row: Row): void {
    for (const block of row.blocks) {
      if (block === NO_BLOCK) continue;
      const chunk = Math.floor(block / BLOCKS_PER_CHUNK);
      const start = (block % BLOCKS_PER_CHUNK) << BLOCK_BITS;
      this.#words[chunk].fill(0, start * 4, (start + BLOCK_SIZE) * 4);
      this.#freeBlocks.push(block);
    }
    row.blocks = [];
  }

  #takeBlock(): number {
    const freed = this.#freeBlocks.pop();
    if (freed !== undefined) return freed;
    if (this.#nextBlock === this.#words.length * BLOCKS_PER_CHUNK) {
      const chunk = new ArrayBuffer((CHUNK_MASK + 1) * CELL_BYTES);
      this.#words.push(new Uint32Array(chunk));
      this.#times.push(new Float64Array(chunk));
    }
    return this.#nextBlock++;
  }
}

/** The blocks of one prefix, by `vp >>> BLOCK_BITS`; -1 where no cell was made yet. */
export interface Row {
  blocks: number[];
}
