/**
 * The few error classes. Each has a stable `code`, for programs, and says who must act on it. Messages are for people and
 * may change; none of them ever holds an API key.
 */

/** Why a request to the Data API failed. */
export const DATA_API_ERROR_CODES = [
  'BAD_REQUEST', // 400 and other 4xx: we asked for something that the API does not understand
  'FORBIDDEN', // 401, 403: the key is invalid
  'NOT_FOUND', // 404
  'RATE_LIMITED', // 429, and still so after the last attempt
  'SERVER_ERROR', // 5xx
  'TIMEOUT', // no complete answer in time
  'NETWORK_ERROR', // DNS, TCP, TLS, or a connection that broke
  'INVALID_RESPONSE', // an answer that is not JSON, not the envelope, or too large
] as const;
/** One of `DATA_API_ERROR_CODES`. */
export type DataApiErrorCode = (typeof DATA_API_ERROR_CODES)[number];

/** All codes: each is in docs/errors.md with what it means and what to do. */
export const ERROR_CODES = [
  'CONFIG',
  'USAGE',
  'LISTEN',
  'OUTPUT',
  'HEALTHCHECK',
  'RECORDING',
  'PREFIX_TO_API_KEY',
  'WEBSOCKET_CONNECTION',
  'STOPPED',
  'KAFKA',
  'SUPERSEDED',
  ...DATA_API_ERROR_CODES,
] as const;
/** One of `ERROR_CODES`. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Who acts: `operator` (configuration, key, quota), `service` (it passes, or bgproutes.io must mend it), `bug` (ours). */
export type Actor = 'operator' | 'service' | 'bug';

/** Options of an `ExporterError`. */
export interface ErrorOptionsWithActor {
  readonly actor: Actor;
  readonly cause?: unknown;
}

/** Base of all of them. Anything else that is thrown is a bug. */
export class ExporterError extends Error {
  readonly code: ErrorCode;
  readonly actor: Actor;

  constructor(code: ErrorCode, message: string, options: ErrorOptionsWithActor) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.actor = options.actor;
  }
}

/** Everything that is wrong with a configuration, at once: one problem a line, each with its place, expected and got. */
export class ConfigError extends ExporterError {
  readonly problems: readonly string[];
  /** What is wrong, for a headline: `configuration` by default. */
  readonly subject: string;

  constructor(problems: readonly string[], cause?: unknown, subject = 'configuration') {
    super('CONFIG', problems.join('\n'), { actor: 'operator', cause });
    this.problems = problems;
    this.subject = subject;
  }
}

/** An address cannot be bound. */
export class ListenError extends ExporterError {
  constructor(message: string, cause: unknown) {
    super('LISTEN', message, { actor: 'operator', cause });
  }
}

/** The prefixes of a key could not be associated with it: the Live Manager API said no. */
export class PrefixToAPIKeyError extends ExporterError {
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** What the server said: one line, bounded, keys redacted. */
  readonly serverText: string;

  constructor(
    message: string,
    details: { readonly status?: number; readonly serverText?: string; readonly cause?: unknown },
  ) {
    super('PREFIX_TO_API_KEY', message, { actor: 'operator', cause: details.cause });
    this.status = details.status;
    this.serverText = details.serverText ?? '';
  }
}

/** The live stream could not be opened, was refused, or was cut off. */
export class WebsocketConnectionError extends ExporterError {
  /** What the server or the network said: one line, bounded, keys redacted. */
  readonly serverText: string;

  constructor(
    message: string,
    details: { readonly actor?: Actor; readonly serverText?: string; readonly cause?: unknown },
  ) {
    super('WEBSOCKET_CONNECTION', message, { actor: details.actor ?? 'service', cause: details.cause });
    this.serverText = details.serverText ?? '';
  }
}

/** A source was stopped, or its prefixes were replaced once more, before what was asked of it was done. */
export class StoppedError extends ExporterError {
  constructor(message: string) {
    super('STOPPED', message, { actor: 'operator' });
  }
}

/** What an HTTP status says of a request to a history; a status of success came with a wrong answer. */
export function codeOfStatus(status: number): DataApiErrorCode {
  if (status === 401 || status === 403) return 'FORBIDDEN';
  if (status === 404) return 'NOT_FOUND';
  if (status === 408) return 'TIMEOUT';
  if (status === 429) return 'RATE_LIMITED';
  if (status >= 500) return 'SERVER_ERROR';
  return status >= 400 ? 'BAD_REQUEST' : 'INVALID_RESPONSE';
}

const DATA_API_ACTORS: Readonly<Record<DataApiErrorCode, Actor>> = {
  BAD_REQUEST: 'bug',
  FORBIDDEN: 'operator',
  NOT_FOUND: 'bug',
  RATE_LIMITED: 'operator',
  SERVER_ERROR: 'service',
  TIMEOUT: 'service',
  NETWORK_ERROR: 'service',
  INVALID_RESPONSE: 'service',
};

/** A request to the Data API failed for good: retries, where they make sense, are behind it. */
export class DataApiError extends ExporterError {
  declare readonly code: DataApiErrorCode;
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;

  constructor(
    code: DataApiErrorCode,
    message: string,
    details: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(code, message, { actor: DATA_API_ACTORS[code], cause: details.cause });
    this.status = details.status;
  }
}
