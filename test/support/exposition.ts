/** Reads both text formats by the letter of their specifications, and throws on whatever they do not allow. */

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly unit: string | undefined;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] };

/** Families by the name in their TYPE line. */
export function readExposition(body: Buffer, format: 'text' | 'openmetrics'): Map<string, Family> {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  if (text === '' && format === 'text') return new Map();
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('no # EOF at the end');
  const families = new Map<string, Family & { readonly samples: Sample[] }>();
  const seen = new Set<string>();
  let at = 0;
  while (at < lines.length) {
    const [, name, help] = expectMatch(lines[at++], /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s);
    const [, typed, type] = expectMatch(lines[at++], /^# TYPE (\S+) (counter|gauge|histogram)$/);
    if (typed !== name) throw new Error(`TYPE of ${typed} after HELP of ${name}`);
    if (families.has(name)) throw new Error(`the family ${name} comes twice`);
    let unit: string | undefined;
    if (format === 'openmetrics' && lines[at]?.startsWith('# UNIT ')) {
      const [, of, word] = expectMatch(lines[at++], /^# UNIT (\S+) (\S+)$/);
      if (of !== name || !name.endsWith(`_${word}`)) throw new Error(`unit ${word} of ${of} in ${name}`);
      unit = word;
    }
    const samples: Sample[] = [];
    while (at < lines.length && !lines[at].startsWith('#')) {
      const sample = readSample(lines[at++]);
      const allowed =
        SUFFIXES[type]?.map((suffix) => name + suffix) ??
        (type === 'counter' && format === 'openmetrics' ? [`${name}_total`] : [name]);
      if (!allowed.includes(sample.name)) throw new Error(`a sample ${sample.name} in the family ${name}`);
      const key = seriesKey(sample);
      if (seen.has(key)) throw new Error(`the series ${key} comes twice`);
      seen.add(key);
      samples.push(sample);
    }
    if (samples.length === 0) throw new Error(`the family ${name} has no sample`);
    families.set(name, { type, help: unescapeText(help, format === 'openmetrics' ? '\\"n' : '\\n'), unit, samples });
  }
  return families;
}

/** Every series and its value: `name{a="…",b="…"}`, labels by name, values as JSON. */
export function seriesOf(families: ReadonlyMap<string, Family>): Map<string, number> {
  const series = new Map<string, number>();
  for (const { samples } of families.values()) for (const one of samples) series.set(seriesKey(one), one.value);
  return series;
}

function seriesKey({ name, labels }: Sample): string {
  const inner = Object.keys(labels)
    .sort()
    .map((key) => `${key}=${JSON.stringify(labels[key])}`);
  return `${name}{${inner.join(',')}}`;
}

function readSample(line: string): Sample {
  const [, name, rest] = expectMatch(line, /^([a-zA-Z_:][a-zA-Z0-9_:]*)(.*)$/s);
  const labels: Record<string, string> = {};
  let at = 0;
  if (rest[0] === '{') {
    for (at = 1; ; ) {
      const [, key] = expectMatch(rest.slice(at), /^([a-zA-Z_][a-zA-Z0-9_]*)="/);
      if (key in labels) throw new Error(`the label ${key} comes twice: ${line}`);
      const start = at + key.length + 2;
      let end = start;
      while (rest[end] !== '"') {
        if (end >= rest.length) throw new Error(`an open label value: ${line}`);
        end += rest[end] === '\\' ? 2 : 1;
      }
      labels[key] = unescapeText(rest.slice(start, end), '\\"n');
      at = end + 2;
      if (rest[end + 1] === '}') break;
      if (rest[end + 1] !== ',') throw new Error(`labels not separated by a comma: ${line}`);
    }
  }
  const [, value] = expectMatch(rest.slice(at), /^ (\S+)$/);
  if (!/^([+-]?\d+(\.\d+)?(e[+-]?\d+)?|NaN|[+-]Inf)$/.test(value)) throw new Error(`a strange number: ${line}`);
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function unescapeText(text: string, allowed: string): string {
  return text.replace(/\\(.?)/gs, (_, c: string) => {
    if (c === '' || !allowed.includes(c)) throw new Error(`an escape that is not allowed: \\${c}`);
    return c === 'n' ? '\n' : c;
  });
}

function expectMatch(text: string | undefined, pattern: RegExp): RegExpExecArray {
  const match = text === undefined ? null : pattern.exec(text);
  if (match === null) throw new Error(`expected ${pattern}, got ${JSON.stringify(text)}`);
  return match;
}
