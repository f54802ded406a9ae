/** JSON of strangers, of which much may be broken. */

/**
 * The value of a JSON text; undefined when the text is not JSON. The error that JSON.parse throws is made without a stack, which costs
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

/**
 * Why a text cannot be a JSON object, by its first and last character; undefined when it can. Far cheaper than an exception,
 * which matters where a packet has thousands of tiny frames. What is inside another JSON value is not looked at.
 */
export function whyNoObject(text: string | Buffer): 'invalid_json' | 'not_an_object' | undefined {
  const codeAt = (at: number): number => (typeof text === 'string' ? text.charCodeAt(at) : text[at]);
  let first = 0;
  let last = text.length - 1;
  while (first <= last && isBlank(codeAt(first))) first++;
  while (last > first && isBlank(codeAt(last))) last--;
  if (first > last) return 'invalid_json';
  const begin = codeAt(first);
  const end = codeAt(last);
  if (begin === 0x7b) return end === 0x7d ? undefined : 'invalid_json'; // {}
  const length = last + 1 - first;
  const isOther =
    (begin === 0x5b && end === 0x5d) || // []
    (begin === 0x22 && end === 0x22 && length > 1) || // ""
    ((begin === 0x2d || isDigit(begin)) && isDigit(end)) ||
    (length <= 5 &&
      OTHER_VALUES.has(
        typeof text === 'string' ? text.slice(first, last + 1) : text.toString('latin1', first, last + 1),
      ));
  return isOther ? 'not_an_object' : 'invalid_json';
}

const OTHER_VALUES: ReadonlySet<string> = new Set(['true', 'false', 'null']);

/** RFC 8259 section 2. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
