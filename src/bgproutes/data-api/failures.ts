/** What a failed request to the Data API is called, whether it is repeated, and the error that a caller gets. */
import { DataApiError } from '../../errors.ts';
import type { Failure } from './request.ts';
import type { DataApiEndpoint } from './types.ts';

/** What a caller gets when the last attempt failed. */
export function errorOf(endpoint: DataApiEndpoint, failed: Failure, attempts: number): DataApiError {
  const said = [failed.status === undefined ? '' : `HTTP status ${failed.status}`, failed.text].filter(
    (part) => part !== '',
  );
  const often = attempts > 1 ? ` (${attempts} attempts)` : '';
  const message = `Data API, ${endpoint}: ${EXPLANATIONS[failed.code]}: ${said.join(': ')}${often}`;
  // A new error, because what a library throws may hold the URL, or a header, and with it the key.
  const cause = Object.assign(new Error(failed.text), {
    code: failed.isTooLarge ? TOO_LARGE : (failed.systemCode ?? failed.code),
  });
  return new DataApiError(failed.code, message, { status: failed.status, cause });
}

/** `code` of the cause of an error: the answer was larger than can be read. */
const TOO_LARGE = 'TOO_LARGE';

export function isTooLarge(error: unknown): boolean {
  return (
    error instanceof DataApiError &&
    error.cause instanceof Error &&
    'code' in error.cause &&
    error.cause.code === TOO_LARGE
  );
}

/** A success by status and envelope, with something else inside. */
export const UNDOCUMENTED: Failure = {
  kind: 'failure',
  code: 'INVALID_RESPONSE',
  status: 200,
  text: 'an answer whose data is not built as documented',
  retryAfterMs: undefined,
};

/** Results of attempts that may pass by themselves, so that the request is repeated. */
export const REPEATED: ReadonlySet<string> = new Set(['RATE_LIMITED', 'SERVER_ERROR', 'TIMEOUT', 'NETWORK_ERROR']);

const EXPLANATIONS: Readonly<Record<DataApiError['code'], string>> = {
  BAD_REQUEST: 'it does not take the request',
  FORBIDDEN: 'it does not take the API key',
  NOT_FOUND: 'it does not know what was asked for',
  RATE_LIMITED: 'the limits of the API key are used up',
  SERVER_ERROR: 'it failed',
  TIMEOUT: 'it did not answer in time',
  NETWORK_ERROR: 'it could not be reached',
  INVALID_RESPONSE: 'it answered something else than documented',
};
