/** JSON of strangers, of which much may be broken. */

/**
 * The value of a JSON text; undefined when it is none. The error that JSON.parse throws is made without a stack, which costs
 * more than all else about a short text.
 */
export function parseJson(text: string): unknown {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
