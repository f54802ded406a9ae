/**
 * The log: pino's levels and speed, in logfmt (default, as the Prometheus programs write) or JSON, on standard error.
 * Values of secrets that were registered are replaced wherever they turn up, URLs and error texts included.
 */
import { pino } from 'pino';
import { type Redactor, redactor } from './secrets/redaction.ts';

/** From which severity on lines are written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** How lines are written. */
export type LogFormat = 'logfmt' | 'json';
/** Named values of a line; undefined ones are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The logger that each part of the program gets. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
}

/** The logger that all others are children of. */
export interface RootLogger extends Logger {
  /** Adds secrets, for children of the logger too. */
  addSecrets(secrets: Iterable<string>): void;
  /** Writes like this from now on, children as well. */
  set(style: { readonly level: LogLevel; readonly format: LogFormat }): void;
}

/** What `createLogger` takes. */
export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Gets one line a call, with its newline. It must write at once, so that the last line before an exit is there. */
  readonly destination: { write(line: string): unknown };
  readonly secrets?: Iterable<string>;
  /** Unix ms; the clock by default. */
  readonly now?: () => number;
}

/** Names of every line's own fields; one of a caller gets a `_` behind it. */
const RESERVED = new Set(['time', 'ts', 'level', 'msg']);

/** Control and format characters and line separators: JSON leaves most of them as they are. */
const INVISIBLE = /[\p{C}\u2028\u2029]/gu;

/** A longer message or value is cut: a log line is for people. Characters. */
const MAX_TEXT = 8_192;

/** A logger that writes lines to a destination and keeps secrets out of them. */
export function createLogger(options: LoggerOptions): RootLogger {
  const { level, destination, now = Date.now } = options;
  let { format } = options;
  const writer = pino(
    {
      level,
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => (format === 'logfmt' ? logfmtOfJson(line) : printableJson(line)) },
    },
    destination,
  );
  const secrets = new Set(options.secrets);
  let redact: Redactor = redactor(secrets);
  const clean = (text: string): string => {
    const redacted = redact(text);
    return redacted.length <= MAX_TEXT ? redacted : `${redacted.slice(0, MAX_TEXT)}…`;
  };

  const loggerWith = (bound: LogFields): Logger => {
    const write = (at: LogLevel, message: string, fields: LogFields | undefined): void => {
      if (!writer.isLevelEnabled(at)) return;
      const line: Record<string, string | number | boolean> = {};
      for (const [name, value] of Object.entries(fields === undefined ? bound : { ...bound, ...fields })) {
        if (value === undefined) continue;
        line[RESERVED.has(name) ? `${name}_` : name] = typeof value === 'string' ? clean(value) : value;
      }
      writer[at](line, clean(message));
    };
    return {
      debug: (message, fields) => write('debug', message, fields),
      info: (message, fields) => write('info', message, fields),
      warn: (message, fields) => write('warn', message, fields),
      error: (message, fields) => write('error', message, fields),
      child: (fields) => loggerWith({ ...bound, ...fields }),
    };
  };
  return {
    ...loggerWith({}),
    addSecrets: (more) => {
      for (const secret of more) secrets.add(secret);
      redact = redactor(secrets);
    },
    set: (style) => {
      writer.level = style.level;
      ({ format } = style);
    },
  };
}

/**
 * `ts=… level=info msg="…" key=value`: the fields of a JSON line in the order that Prometheus uses. In JSON the time has the name
 * that Go's log/slog gives it, as Prometheus has since version 3; in logfmt that of go-kit/log, which stood here before that.
 */
function logfmtOfJson(line: string): string {
  const { time: ts, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  return `${Object.entries({ ts, level, msg, ...fields })
    .map(([name, value]) => `${name}=${logfmtValue(value)}`)
    .join(' ')}\n`;
}

/** Escapes the characters of a JSON line that are invisible or change the direction of text, because terminals obey them. */
function printableJson(line: string): string {
  return `${line.trimEnd().replace(INVISIBLE, escapeCharacter)}\n`;
}

/** Quoted, with JSON's escapes, when bare it could be read as something else. */
function logfmtValue(value: unknown): string {
  const text = String(value);
  return /^[^\s"=\\\p{C}]+$/u.test(text) ? text : JSON.stringify(text).replace(INVISIBLE, escapeCharacter);
}

/** What JSON leaves as it is, but a terminal or a line reader may not: invisible characters, changes of direction. */
function escapeCharacter(character: string): string {
  let escaped = '';
  for (let i = 0; i < character.length; i++) escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escaped;
}
