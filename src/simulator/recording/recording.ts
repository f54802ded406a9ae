/** Recordings of a live stream: one JSON message a line, plain or gzipped; lines of `record_type` `rib` are the start. */
import type { FileHandle } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { parsePrefix } from '../../bgp/prefix.ts';
import { parseSpeaker } from '../../bgp/vantage-point.ts';
import { systemCode, systemReason } from '../../errors/system-error.ts';
import { ExporterError } from '../../errors.ts';
import { openRegularFile } from '../../input/regular-file.ts';
import type { PrefixIndex } from '../internet/routes/prefix-index.ts';
import type { Route } from '../internet/routes/route.ts';
import type { SimulatedVantagePoint } from '../internet/vantage-points.ts';
import type { World } from '../internet/world.ts';
import {
  type Field,
  NO_PREFIXES,
  type PrefixList,
  StreamMessage,
  type WithdrawStyle,
} from '../services/bgproutes/stream-message.ts';

export interface RecordedMessage {
  readonly vp: SimulatedVantagePoint;
  /** As recorded, Unix microseconds; of the message before, when it has no readable time. */
  readonly timeUs: number;
  readonly message: StreamMessage;
  /** Numbers of the prefixes in `message`; texts that are not a prefix are left out. */
  readonly announced: readonly number[];
  readonly withdrawn: readonly number[];
  readonly route: Route;
}

export interface Recording {
  /** In the order of the file. */
  readonly messages: readonly RecordedMessage[];
  /** Routes of `rib` lines, now in the world's state. */
  readonly loadedRoutes: number;
  /** Lines that are not a message of a known VP about some prefix; they are not replayed. */
  readonly skippedLines: number;
}

/** A file that cannot be replayed. */
export class RecordingError extends ExporterError {
  constructor(message: string, cause?: unknown) {
    super('RECORDING', message, { actor: 'operator', cause });
  }
}

export interface RecordingOptions {
  readonly world: World;
  readonly timestamps: 'now' | 'original';
  /** How withdrawn prefixes are spelt; undefined: as recorded. */
  readonly withdrawStyle: WithdrawStyle | undefined;
  /** Of the uncompressed text: a recording is kept in memory. */
  readonly maxBytes: number;
}

/** Spellings of the key that nobody has documented, the likeliest first. */
const WITHDRAW_KEYS = [
  ...['withdraws', 'withdrawn', 'withdrawals', 'withdrawn_prefixes', 'withdraw', 'withdrawn-prefixes'],
] as const;

/** Rejects with a RecordingError when the file cannot be read, is too large, or holds not one message. */
export async function loadRecording(path: string, options: RecordingOptions): Promise<Recording> {
  const { world } = options;
  const messages: RecordedMessage[] = [];
  let loadedRoutes = 0;
  let skippedLines = 0;
  let bytes = 0;
  const file = (await openForReading(path)).createReadStream();
  const text = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  const failure = new Promise<never>((_, reject) => {
    const fail = (cause: Error) => reject(unreadable(path, cause));
    file.on('error', fail);
    text.on('error', fail);
  });
  failure.catch(() => {}); // may lose the race below
  const lines = createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY });
  const read = async (): Promise<void> => {
    for await (const line of lines) {
      if (line === '') continue;
      bytes += line.length;
      if (bytes > options.maxBytes) {
        throw new RecordingError(`recording ${path} has more than ${options.maxBytes} bytes of text`);
      }
      const parsed = parseLine(line, messages.length, messages.at(-1)?.timeUs ?? 0, options);
      if (parsed === undefined) {
        skippedLines++;
      } else if (parsed.isRib) {
        for (const prefix of parsed.announced) world.store.load(parsed.vp.index, prefix, parsed.route);
        loadedRoutes += parsed.announced.length;
      } else {
        messages.push(parsed);
      }
    }
  };
  try {
    await Promise.race([read(), failure]);
  } finally {
    lines.close();
    file.destroy();
  }
  if (messages.length === 0 && loadedRoutes === 0) {
    throw new RecordingError(`recording ${path} holds no message (${skippedLines} lines that are none)`);
  }
  return { messages, loadedRoutes, skippedLines };
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await openRegularFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): RecordingError {
  // An error of zlib has a code too, which says less than its message.
  const code = systemCode(cause) ?? '';
  const reason =
    cause instanceof Error && code.startsWith('Z_') ? `it cannot be unpacked (${cause.message})` : systemReason(cause);
  return new RecordingError(`cannot read recording ${path}: ${reason}`, cause);
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseLine(
  line: string,
  number: number,
  previousUs: number,
  options: RecordingOptions,
): (RecordedMessage & { isRib: boolean }) | undefined {
  const object = parseObject(line);
  const recordType = object?.record_type;
  if (object === undefined || (recordType !== 'update' && recordType !== 'bmp_update' && recordType !== 'rib'))
    return undefined;
  const { points, prefixes } = options.world;
  const speaker = parseSpeaker(String(object.vp ?? ''));
  const peer = recordType === 'bmp_update' ? parseSpeaker(String(object.bmp_peer ?? '')) : undefined;
  if (speaker === undefined || (recordType === 'bmp_update' && peer === undefined)) return undefined;
  const announced = prefixList(object.prefixes, prefixes);
  const withdrawnKey = withdrawnKeyOf(object);
  const withdrawn = withdrawnKey === undefined ? NO_PREFIXES : prefixList(object[withdrawnKey], prefixes);
  const known = (list: PrefixList) => list.numbers.filter((prefix) => prefix >= 0);
  const [knownAnnounced, knownWithdrawn] = [known(announced), known(withdrawn)];
  if (knownAnnounced.length + knownWithdrawn.length === 0) return undefined;
  const vp =
    peer === undefined
      ? points.add({ protocol: 'bgp', ...speaker })
      : points.add({ protocol: 'bmp', ...peer, parent: speaker });
  const text = (key: string) => (object[key] === undefined ? '' : String(object[key]));
  return {
    isRib: recordType === 'rib',
    vp,
    timeUs: timeOf(object) ?? previousUs,
    message: new StreamMessage(() => fieldsOf(line, options), announced, withdrawn, number),
    announced: knownAnnounced,
    withdrawn: knownWithdrawn,
    route: {
      asPath: text('as-path'),
      communities: text('communities'),
      nextHop: text('nexthop'),
      originAttribute: text('origin'),
    },
  };
}

/** Unix microseconds; undefined when the message has no readable time. */
function timeOf(object: JsonObject): number | undefined {
  const timeUs = Number(object.sec ?? Number.NaN) * 1_000_000 + Number(object.Usec ?? 0);
  return Number.isFinite(timeUs) ? timeUs : undefined;
}

function parseObject(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** Keys that have another meaning, and so are never the key of withdrawn prefixes. */
const OTHER_KEYS: ReadonlySet<string> = new Set([
  ...['record_type', 'vp', 'bmp_peer', 'sec', 'Usec', 'prefixes', 'as-path', 'communities', 'nexthop', 'origin'],
]);

/** The first key with something in it; failing the known spellings, any other whose whole value is a list of prefixes. */
function withdrawnKeyOf(object: JsonObject): string | undefined {
  const known = WITHDRAW_KEYS.find((key) => textsOf(object[key]).length > 0);
  if (known !== undefined) return known;
  return Object.keys(object).find((key) => {
    const texts = OTHER_KEYS.has(key) ? [] : textsOf(object[key]);
    return texts.length > 0 && texts.every((text) => parsePrefix(text.trim()) !== undefined);
  });
}

function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string' && value !== '' ? value.split(',') : [];
}

function prefixList(value: unknown, prefixes: PrefixIndex): PrefixList {
  const texts = textsOf(value);
  return { texts, numbers: texts.map((text) => prefixes.numberOf(text.trim())) };
}

/** The fields as recorded, in their order; only times and withdrawn prefixes are replaced. */
function fieldsOf(line: string, options: RecordingOptions): Field[] {
  const object = JSON.parse(line) as JsonObject;
  const withdrawnKey = withdrawnKeyOf(object);
  const isRestamped = options.timestamps === 'now';
  const fields: Field[] = [];
  for (const [key, value] of Object.entries(object)) {
    if (isRestamped && (key === 'sec' || key === 'Usec')) {
      if (!fields.some(({ kind }) => kind === 'time')) fields.push({ kind: 'time' });
    } else if (key === 'prefixes') {
      fields.push({ kind: 'announced', key });
    } else if (key === withdrawnKey) {
      fields.push({ kind: 'withdrawn', ...(options.withdrawStyle ?? { key, asArray: Array.isArray(value) }) });
    } else {
      fields.push({ kind: 'text', key, json: JSON.stringify(value) });
    }
  }
  return fields;
}
