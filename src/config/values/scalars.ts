/** Values that are numbers, durations, or one of a few words. */
import { z } from 'zod';
import { suggestion } from '../../input/suggestion.ts';
import { formatDuration, parseDuration } from '../duration.ts';
import { LOG_LEVELS } from './log-words.ts';
import { accept, refuse, value } from './value.ts';

export function wholeNumber(expected: string, min: number, max: number) {
  return value<number>(
    `${expected} from ${min} to ${max}`,
    (input) => {
      const digits = typeof input === 'string' && /^(?:0|[1-9][0-9]{0,15})$/.test(input);
      const number = digits ? Number(input) : input;
      return typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max
        ? accept(number)
        : refuse();
    },
    'value',
    { type: ['integer', 'string'] },
  );
}

export const trueOrFalse = value<boolean>(
  'true or false',
  (input) => {
    if (typeof input === 'boolean') return accept(input);
    return input === 'true' || input === 'false' ? accept(input === 'true') : refuse();
  },
  'value',
  { type: ['boolean', 'string'] },
);

export const onOrOff = value<boolean>(
  'on or off',
  (input) => {
    if (typeof input === 'boolean') return accept(input); // YAML 1.1 and its tools read a bare `off` as a boolean
    return input === 'on' || input === 'off' ? accept(input === 'on') : refuse();
  },
  'value',
  { type: ['boolean', 'string'] },
);

export function oneOf<const T extends string>(...known: readonly T[]) {
  return value<T>(
    `one of ${known.join(', ')}`,
    (input) => {
      const found = known.find((word) => word === input);
      if (found !== undefined) return accept(found);
      const near = typeof input === 'string' ? suggestion(input, known) : undefined;
      return near === undefined ? refuse() : refuse(`did you mean ${near}?`);
    },
    'value',
    { type: 'string', words: known },
  );
}

/** `warning` is taken for `warn`, because many programs call it so. */
export const logLevel = z.preprocess((input) => (input === 'warning' ? 'warn' : input), oneOf(...LOG_LEVELS));

const UNIT_WORDS: Readonly<Record<string, string>> = {
  ...{ ms: 'ms', s: 's', m: 'm', h: 'h', d: 'd', w: 'w', y: 'y', sec: 's', min: 'm', hr: 'h' },
  ...{ millisecond: 'ms', second: 's', minute: 'm', hour: 'h', day: 'd', week: 'w', year: 'y' },
};

/** The right spelling of a duration that is almost one: `90 s`, `1.5h`, `2 hours`, `30m1h`; undefined for anything else. */
function nearDuration(text: string): string | undefined {
  const parts = [
    ...text
      .trim()
      .toLowerCase()
      .matchAll(/([0-9]{1,6}(?:\.[0-9]{1,3})?) *([a-z]+)[ ,]*/g),
  ];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text.trim().toLowerCase()) return undefined;
  let ms = 0;
  for (const [, count, word] of parts) {
    const unit = UNIT_WORDS[word] ?? UNIT_WORDS[word.replace(/s$/, '')];
    if (unit === undefined) return undefined;
    ms += Number(count) * (parseDuration(`1${unit}`) ?? 0);
  }
  return ms > 0 && Number.isInteger(ms) ? formatDuration(ms) : undefined;
}

/** `zero` says what 0 means where it is allowed although it is below `minMs`. */
export function duration(minMs: number, maxMs: number, zero?: string) {
  const range = `a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  return value<number>(
    zero === undefined ? range : `${range}, or 0 (${zero})`,
    (input) => {
      const ms = input === 0 ? 0 : typeof input === 'string' ? parseDuration(input) : undefined;
      if (ms !== undefined && ((ms === 0 && zero !== undefined) || (ms >= minMs && ms <= maxMs))) return accept(ms);
      const near = typeof input === 'string' ? nearDuration(input) : undefined;
      if (ms === undefined && near !== undefined) return refuse(`did you mean ${near}?`);
      const bare = typeof input === 'number' || (typeof input === 'string' && /^[0-9]+$/.test(input));
      return bare && Number(input) !== 0 ? refuse(`a unit is missing, such as ${input}s`) : refuse();
    },
    'value',
    { type: ['string', 'integer'] },
  );
}
