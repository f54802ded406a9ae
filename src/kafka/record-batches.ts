/** Record batches of a Kafka log (format 2), as the library parses them, to records. */
/** One record. */
export interface LogRecord {
  readonly offset: number;
  /** Unix ms; -1 when the producer gave none. */
  readonly timeMs: number;
  /** Undefined: it has none. */
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
}

/** The part of the library's batch that is read. */
export interface RecordBatch {
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly attributes: number;
  readonly firstTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly records: readonly {
    readonly offsetDelta: number;
    readonly timestampDelta: bigint;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
  }[];
}

/** Bits of a batch's attributes: the broker's time stands for all records; the batch holds markers of transactions and not records. */
const [LOG_APPEND_TIME, CONTROL] = [0x08, 0x20];

/**
 * A broker gives whole batches: what lies before the wanted offset is left out.
 * @returns the records, and from where to read on
 */
export function readRecords(
  batches: readonly RecordBatch[],
  wantedOffset: number,
): { readonly records: readonly LogRecord[]; readonly nextOffset: number } {
  const records: LogRecord[] = [];
  let nextOffset = wantedOffset;
  for (const { firstOffset, lastOffsetDelta, attributes, firstTimestamp, maxTimestamp, records: parsed } of batches) {
    const first = Number(firstOffset);
    nextOffset = Math.max(nextOffset, first + lastOffsetDelta + 1);
    if ((attributes & CONTROL) !== 0) continue;
    const appendedMs = (attributes & LOG_APPEND_TIME) === 0 ? undefined : Number(maxTimestamp);
    const firstMs = Number(firstTimestamp);
    for (const { offsetDelta, timestampDelta, key, value } of parsed) {
      const offset = first + offsetDelta;
      if (offset < wantedOffset) continue;
      const timeMs = appendedMs ?? (firstMs < 0 ? -1 : firstMs + Number(timestampDelta));
      records.push({ offset, timeMs, key: key ?? undefined, value: value ?? undefined });
    }
  }
  return { records, nextOffset };
}
