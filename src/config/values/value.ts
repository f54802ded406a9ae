/**
 * What a value of the configuration is: it reads what YAML or a flag gave and says what it expected otherwise. What was
 * got instead is added by the one who knows where it stands (config.ts), unless it is a secret.
 */
import { z } from 'zod';
import { suggestion } from '../../input/suggestion.ts';

/** How a refused value shows in its message: as it was written, only its kind (it may be a secret), or not at all. */
export type Got = 'value' | 'kind' | 'none';

/** What `params` of a zod issue hold here. */
export interface IssueStyle {
  readonly got: Got;
  /** Added behind what was got. */
  readonly hint: string | undefined;
}

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly hint?: string }
  | { readonly ok: false; readonly message: string };

export const accept = <T>(value: T): Read<T> => ({ ok: true, value });
export const refuse = (hint?: string): Read<never> => (hint === undefined ? { ok: false } : { ok: false, hint });

/** What of a value a JSON schema can say: the kinds that `read` may accept. Such a schema refuses less than `read` does. */
export interface JsonKinds {
  readonly type: string | readonly string[];
  /** The only texts that are allowed, beside texts with a variable. */
  readonly words?: readonly string[];
  readonly items?: JsonKinds;
  readonly additionalProperties?: JsonKinds;
}

/** What a JSON schema of the configuration (deploy/helm) says of each kind of value. */
export const jsonKinds = z.registry<JsonKinds & { readonly description: string }>();

/** Values that are taken at the start and then hold: a reload that changes one is refused. */
export const startOnly = z.registry<{ readonly why: string }>();

/** @param why a reload cannot change the value, for people: a clause */
export function atStart<T extends z.ZodType>(schema: T, why: string): T {
  startOnly.add(schema, { why });
  return schema;
}

/** A value that `read` accepts; the message for any other is `expected ${expected}, got …`. */
export function value<T>(
  expected: string,
  read: (input: unknown) => Read<T>,
  got: Got = 'value',
  kinds: JsonKinds = { type: 'string' },
) {
  const schema = z.unknown().transform((input, context): T => {
    const result = read(input);
    if (result.ok) return result.value;
    const whole = 'message' in result;
    const params: IssueStyle = whole ? { got: 'none', hint: undefined } : { got, hint: result.hint };
    context.addIssue({ code: 'custom', message: whole ? result.message : `expected ${expected}`, params, input });
    return z.NEVER;
  });
  jsonKinds.add(schema, { description: expected, ...kinds });
  return schema;
}

/**
 * A closed set of keys; a missing or empty one is a map without keys. `expected` is the message for a value that is not a map.
 * With `.optional()`, a missing one is undefined.
 */
export function section<T extends z.ZodRawShape>(shape: T, expected?: string) {
  const known = Object.keys(shape).join(', ');
  return z.preprocess(
    (input) => input ?? {},
    z.strictObject(shape, {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? known : `expected ${expected ?? `a map with keys of ${known}`}`,
    }),
  );
}

/** The message for a key that is not among the `known` (as `section` lists them). */
export function unknownKey(key: string, known: string): string {
  const near = suggestion(key, known.split(', '));
  return near === undefined ? `unknown key, expected one of ${known}` : `unknown key, did you mean ${near}?`;
}

/** A list; missing or empty is no items. */
export function list<T extends z.ZodType>(item: T, expected: string) {
  return z.preprocess((input) => input ?? [], z.array(item, { error: `expected ${expected}` }));
}

/** A map with keys of the user's choice; missing or empty is no entries. `key` says what is wrong with one, if anything. */
export function table(expected: string, key: (name: string) => string | undefined, item: z.ZodType<string>) {
  const entries = z.unknown().transform((input, context): Readonly<Record<string, string>> => {
    if (typeof (input ?? {}) !== 'object' || Array.isArray(input)) {
      const params: IssueStyle = { got: 'kind', hint: undefined };
      context.addIssue({ code: 'custom', message: `expected ${expected}`, params, input });
      return z.NEVER;
    }
    const read: [string, string][] = [];
    for (const [name, text] of Object.entries(input ?? {})) {
      const fault = key(name);
      const result = item.safeParse(text);
      if (fault !== undefined) addFault(context, [name], fault);
      else if (result.success) read.push([name, result.data]);
      else for (const issue of result.error.issues) context.addIssue({ ...issue, path: [name, ...issue.path] });
    }
    return Object.fromEntries(read);
  });
  jsonKinds.add(entries, { description: expected, type: 'object', additionalProperties: { type: 'string' } });
  return entries.default({});
}

/** A problem whose message is whole. */
export function addFault(context: z.core.$RefinementCtx, path: PropertyKey[], message: string): void {
  const params: IssueStyle = { got: 'none', hint: undefined };
  context.addIssue({ code: 'custom', path, message, params, input: undefined });
}
