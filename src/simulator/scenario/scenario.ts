/** The scenario file: which prefixes there are, and what happens to them when. Documented in docs/simulator.md. */
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { MAX_ASN } from '../../bgp/as-path.ts';
import { containsPrefix, MAX_LENGTH, parsePrefix } from '../../bgp/prefix.ts';
import { suggestion } from '../../input/suggestion.ts';
import { SIMULATED_SOURCES } from '../services/source-names.ts';

const DURATION = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6}(?:\.\d{1,3})?)s)?(?:(\d{1,9})ms)?$/;

function durationMs(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (text === '0') return 0;
  if (match === null || text === '') return undefined;
  const [h, m, s, ms] = match.slice(1).map((part) => Number(part ?? 0));
  return h * 3_600_000 + m * 60_000 + Math.round(s * 1000) + ms;
}

const duration = z.string({ error: 'expected a duration such as 40s, 1m30s or 500ms' }).transform((text, context) => {
  const ms = durationMs(text);
  if (ms !== undefined) return ms;
  context.issues.push({
    code: 'custom',
    message: `expected a duration such as 40s, 1m30s or 500ms, got "${text}"`,
    input: text,
  });
  return z.NEVER;
});

const prefix = z.string({ error: 'expected a prefix such as 192.0.2.0/24' }).transform((text, context) => {
  const parsed = parsePrefix(text);
  if (parsed !== undefined && !parsed.hadHostBits) return parsed.text;
  const meant = parsed === undefined ? '' : ` (meant ${parsed.text}?)`;
  context.issues.push({
    code: 'custom',
    message: `expected a prefix such as 192.0.2.0/24 or 2001:db8::/48, got "${text}"${meant}`,
    input: text,
  });
  return z.NEVER;
});

const number = (min: number, max: number) => {
  const error = `expected a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
};
const wholeNumber = (min: number, max: number) =>
  number(min, max).int({ error: `expected a whole number from ${min} to ${max}` });
const asn = wholeNumber(1, MAX_ASN);
const asns = z.array(asn).min(1, { error: 'expected at least one AS number' }).max(32);
const share = number(0, 1);

const when = { at: duration, text: z.string().max(200).optional() };
const onPrefix = { ...when, prefix, spread: duration.optional() };

const step = z.discriminatedUnion(
  'do',
  [
    z.strictObject({ do: z.literal('outage'), ...onPrefix, share: share.optional() }),
    z.strictObject({ do: z.literal('recovery'), ...onPrefix }),
    z.strictObject({ do: z.literal('hijack'), ...onPrefix, by: asn, forged_origin: z.boolean().optional() }),
    z.strictObject({ do: z.literal('subprefix_hijack'), ...onPrefix, more_specific: prefix, by: asn }),
    z.strictObject({ do: z.literal('prepend'), ...onPrefix, times: wholeNumber(1, 20), upstream: asn.optional() }),
    z.strictObject({ do: z.literal('upstream_change'), ...onPrefix, upstreams: asns }),
    z.strictObject({
      do: z.literal('flap'),
      ...onPrefix,
      times: wholeNumber(1, 1_000),
      interval: duration,
      share: share.optional(),
    }),
    z.strictObject({
      do: z.literal('roa'),
      ...when,
      prefix,
      by: asn,
      max_length: wholeNumber(0, 128).optional(),
    }),
    z.strictObject({ do: z.literal('roa_loss'), ...when, prefix, by: asn.optional() }),
    z.strictObject({ do: z.literal('aspa'), ...when, prefix, by: asn.optional(), providers: asns }),
    z.strictObject({ do: z.literal('aspa_loss'), ...when, prefix, by: asn.optional() }),
    z.strictObject({
      do: z.literal('vp_loss'),
      ...when,
      share: share.optional(),
      vps: wholeNumber(1, 20_000).optional(),
      for: duration.optional(),
    }),
    z.strictObject({
      do: z.literal('source_loss'),
      ...when,
      source: z.enum(SIMULATED_SOURCES, { error: `expected ${SIMULATED_SOURCES.join(' or ')}` }),
      for: duration.optional(),
    }),
  ],
  {
    error:
      'expected "do" to be outage, recovery, hijack, subprefix_hijack, prepend, upstream_change, flap, roa, roa_loss, aspa, aspa_loss, vp_loss or source_loss',
  },
);

const scenarioPrefix = z.strictObject({
  prefix,
  origin: asn,
  upstreams: asns.optional(),
  description: z.string().max(200).optional(),
  group: z.string().max(100).optional(),
});

const scenarioSchema = z
  .strictObject({
    description: z.string().max(1000).optional(),
    seed: wholeNumber(0, 4_294_967_295).optional(),
    vps: wholeNumber(0, 20_000).optional(),
    loop_every: duration.optional(),
    churn_per_minute: number(0, 1_000_000).optional(),
    generate_unknown_prefixes: z.boolean().optional(),
    prefixes: z.array(scenarioPrefix).max(10_000).default([]),
    steps: z.array(step).max(10_000).default([]),
  })
  .superRefine((scenario, context) => {
    const known = new Set<string>();
    for (const [i, { prefix }] of scenario.prefixes.entries()) {
      if (known.has(prefix)) {
        context.addIssue({ code: 'custom', path: ['prefixes', i, 'prefix'], message: `${prefix} is there twice` });
      }
      known.add(prefix);
    }
    for (const [i, step] of scenario.steps.entries()) {
      const issue = (field: string, message: string) =>
        context.addIssue({ code: 'custom', path: ['steps', i, field], message });
      if (step.do === 'vp_loss') {
        if ((step.share === undefined) === (step.vps === undefined)) issue('share', 'expected either share or vps');
      } else if (step.do !== 'source_loss' && !known.has(step.prefix)) {
        issue('prefix', `expected one of the scenario's prefixes, got ${step.prefix}`);
      } else if (step.do === 'subprefix_hijack') {
        const [outer, inner] = [parsePrefix(step.prefix)!, parsePrefix(step.more_specific)!];
        if (!containsPrefix(outer, inner) || outer.length === inner.length) {
          issue('more_specific', `expected a prefix inside ${step.prefix}, got ${step.more_specific}`);
        }
      }
      if (step.do === 'roa' && step.max_length !== undefined) {
        const { afi, length } = parsePrefix(step.prefix)!;
        if (step.max_length < length || step.max_length > MAX_LENGTH[afi])
          issue('max_length', `expected a length from ${length} to ${MAX_LENGTH[afi]}, got ${step.max_length}`);
      }
      if (scenario.loop_every !== undefined && step.at >= scenario.loop_every) {
        issue('at', 'expected a time before loop_every');
      }
    }
    if (scenario.loop_every !== undefined && scenario.loop_every < 1000) {
      context.addIssue({ code: 'custom', path: ['loop_every'], message: 'expected at least 1s' });
    }
  });

/** A scenario that was checked; durations are milliseconds. */
export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioPrefix = Scenario['prefixes'][number];
export type ScenarioStep = Scenario['steps'][number];
export type StepKind = ScenarioStep['do'];
/** A step that is done by hand: `at` is now. */
export type StepNow = ScenarioStep extends infer S ? (S extends ScenarioStep ? Omit<S, 'at'> : never) : never;

export type ScenarioResult =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads a scenario file. Every problem is reported at once, each with its place and what was expected. */
export function parseScenario(text: string): ScenarioResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    return { ok: false, problems: document.errors.map((error) => error.message.split('\n')[0].replace(/:$/, '')) };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return { ok: false, problems: [`scenario: ${(error as Error).message}`] };
  }
  const result = scenarioSchema.safeParse(value ?? {});
  if (result.success) return { ok: true, scenario: result.data };
  const lineOf = (path: readonly PropertyKey[]): string => {
    // What is missing has no place of its own: then that of what it is missing in.
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
      if (node?.range !== undefined) return ` (line ${lines.linePos(node.range[0]).line})`;
    }
    return '';
  };
  const problems = problemsOf(result.error, valueIn(value), lineOf);
  return { ok: false, problems };
}

/** Keys that may be where an unknown one was found: in a step, or in the scenario. */
function keysAt(value: unknown, path: readonly PropertyKey[]): readonly string[] {
  if (path[0] === 'prefixes') return Object.keys(scenarioPrefix.shape);
  const kind = (value as { do?: unknown } | undefined)?.do;
  const option = step.options.find(({ shape }) => shape.do.value === kind);
  return Object.keys(option === undefined ? scenarioSchema.shape : option.shape);
}

/** One line a problem: the place, what was expected, what was got. */
function problemsOf(
  error: z.ZodError,
  valueAt: (path: readonly PropertyKey[]) => unknown,
  lineOf: (path: readonly PropertyKey[]) => string = () => '',
): string[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const place = `${placeOf([...issue.path, key])}${lineOf([...issue.path, key])}`;
        const near = suggestion(key, keysAt(valueAt(issue.path), issue.path));
        return `${place}: unknown key${near === undefined ? '' : `, did you mean ${near}?`}`;
      });
    }
    const value = valueAt(issue.path);
    const place = `${placeOf(issue.path)}${lineOf(issue.path)}`;
    if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
      const expected = KINDS[issue.expected] ?? issue.expected;
      return [`${place}: expected ${expected}, ${value === undefined ? 'which is missing' : `got ${kindOf(value)}`}`];
    }
    const got =
      value === undefined ? ', which is missing' : typeof value === 'object' ? '' : `, got ${JSON.stringify(value)}`;
    const hasGot = issue.message.includes('got ') || !issue.message.startsWith('expected');
    return [`${place}: ${issue.message}${hasGot ? '' : got}`];
  });
}

/** What a kind of zod's is called in a file. */
const KINDS: Readonly<Record<string, string>> = {
  ...{ array: 'a list', object: 'a map', string: 'a text', number: 'a number', boolean: 'true or false' },
};

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (typeof value !== 'object') return JSON.stringify(value);
  return Array.isArray(value) ? 'a list' : 'a map';
}

function valueIn(root: unknown): (path: readonly PropertyKey[]) => unknown {
  return (path) =>
    path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], root);
}

export type StepResult =
  | { readonly ok: true; readonly step: StepNow }
  | { readonly ok: false; readonly problems: readonly string[] };

/** One step as it stands in a scenario file, to be done now: `at` is not needed. */
export function parseStep(value: unknown): StepResult {
  const result = step.safeParse(typeof value === 'object' && value !== null ? { at: '0s', ...value } : value);
  if (result.success) return { ok: true, step: result.data };
  return { ok: false, problems: problemsOf(result.error, valueIn(value)) };
}

/** A scenario written in code, in the same words as the file. Throws a TypeError that names every problem. */
export function scenario(input: z.input<typeof scenarioSchema>): Scenario {
  const result = scenarioSchema.safeParse(input);
  if (result.success) return result.data;
  throw new TypeError(problemsOf(result.error, valueIn(input)).join('\n'));
}

function placeOf(path: readonly PropertyKey[]): string {
  let place = '';
  for (const part of path) {
    if (typeof part === 'number') place += `[${part}]`;
    else place += `${place === '' ? '' : '.'}${String(part)}`;
  }
  return place === '' ? 'scenario' : place;
}

/** Nothing at all: what happens is driven by hand. */
export const EMPTY_SCENARIO: Scenario = scenario({ vps: 0, churn_per_minute: 0, generate_unknown_prefixes: false });
