/** What a scrape gives is read by others' programs as it is meant: promtool, and the strict parsers of the Python client. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RuntimeMetrics } from '../../src/metrics/runtime-metrics.ts';
import type { ExpositionFormat } from '../../src/outputs/text/negotiation.ts';
import { TextWriter } from '../../src/outputs/text/prometheus.ts';
import { RECORDED_PREFIXES } from '../fixtures/make-recording.ts';
import { type Family, readExposition } from '../support/exposition.ts';
import { fixturePath, readLines } from '../support/recordings.ts';
import { Replay } from '../support/replay.ts';
import { watchedPrefix } from '../support/table-world.ts';

const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';
const FORMATS: readonly ExpositionFormat[] = ['text', 'openmetrics'];

/** Texts that a configuration may hold and that are hard to print. */
const AWKWARD = [
  'customer "block" \\ back\\slash',
  'two\nlines',
  'ümläut – 東京 🛰',
  '} 1\n# EOF',
  '\t\u00a0\u2028\r',
  ' ',
  '{a="b"}',
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'exposition-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every family of the exporter: some prefixes with a past, one over the bounds of labels, one without any event. */
async function bodies(): Promise<Record<ExpositionFormat, Buffer>> {
  const texts = [...RECORDED_PREFIXES, '192.0.2.0/25', '2001:db8:2::/48', '::ffff:192.0.2.0/120'];
  const watched = texts.map((text, i) =>
    watchedPrefix(text, { description: AWKWARD[i], group: AWKWARD[6 - i], origins: [64500] }),
  );
  const replay = new Replay({ watched, startMs: 1_699_999_990_000 });
  replay.play(readLines(fixturePath('recording.jsonl')));
  for (let i = 0; i < 300; i++)
    replay.play([
      JSON.stringify({
        record_type: 'update',
        vp: `64496_10.0.${i >> 8}.${i & 255}`,
        sec: 1_700_010_000,
        Usec: 0,
        prefixes: `192.0.2.0/25,192.0.2.${i % 100}/32`,
        'as-path': `64496 ${65_000 + i} ${66_000 + i}`,
      }),
    ]);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const runtime = new RuntimeMetrics(registry, 1_699_999_990_000);
  await runtime.refresh();
  const sources = [...replay.collect(), runtime.collect()];
  return { text: new TextWriter('text').render(sources), openmetrics: new TextWriter('openmetrics').render(sources) };
}

describe('promtool', () => {
  it('finds nothing to say against a scrape, neither faults nor lints', async () => {
    const { text } = await bodies();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('would say so: a counter without _total, a name that is none', () => {
    const check = (input: string) => spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' }).status;
    expect(check('# HELP bgp_things Help.\n# TYPE bgp_things counter\nbgp_things 1\n')).not.toBe(0);
    expect(check('bgp-things 1\n')).not.toBe(0);
  });
});

interface PythonFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly help: string;
  readonly samples: readonly (readonly [string, Readonly<Record<string, string>>, string])[];
}

describe('the parsers of the Prometheus Python client', () => {
  const read = (format: ExpositionFormat, body: string | Buffer): PythonFamily[] => {
    const path = join(folder, `body.${format}`);
    writeFileSync(path, body);
    const script = join(import.meta.dirname, 'read_exposition.py');
    return JSON.parse(
      execFileSync(PYTHON, [script, format, path], { encoding: 'utf8', maxBuffer: 1 << 26, stdio: 'pipe' }),
    );
  };
  /** The parsers name a counter's family without `_total` in both formats. */
  const familyName = (name: string, { type }: Family) => (type === 'counter' ? name.replace(/_total$/, '') : name);
  const number = (text: string) => Number(text.replace('inf', 'Infinity').replace('nan', 'NaN'));

  it.each(FORMATS)('read every family, label and value as it is (%s)', async (format) => {
    const body = (await bodies())[format];
    const ours = readExposition(body, format);
    const theirs = new Map(read(format, body).map((family) => [family.name, family]));
    expect([...theirs.keys()].sort()).toEqual([...ours].map(([name, family]) => familyName(name, family)).sort());
    for (const [name, family] of ours) {
      const their = theirs.get(familyName(name, family))!;
      expect([name, their.type, their.help]).toEqual([name, family.type, family.help]);
      expect(their.unit).toBe(format === 'openmetrics' ? (family.unit ?? '') : '');
      expect(their.samples.map(([sample, labels, value]) => ({ name: sample, labels, value: number(value) }))).toEqual(
        family.samples,
      );
    }
  });

  it('give back the texts of the configuration', async () => {
    const info = read('openmetrics', (await bodies()).openmetrics).find((family) => family.name === 'bgp_prefix_info');
    expect(info?.samples.map(([, labels]) => labels.description)).toEqual(AWKWARD);
  });

  it('both formats hold the same', async () => {
    const { text, openmetrics } = await bodies();
    const flat = (format: ExpositionFormat, body: Buffer) =>
      read(format, body).flatMap(({ name, samples }) =>
        name.startsWith('process_') || name.startsWith('nodejs_')
          ? [] // they move between two readings
          : samples.map(([sample, { le, ...labels }, value]) =>
              JSON.stringify([sample, labels, le && Number(le), value]),
            ),
      );
    expect(flat('openmetrics', openmetrics).sort()).toEqual(flat('text', text).sort());
  });

  it.each([
    ['no end', '# TYPE a gauge\na 1\n'],
    ['a counter without _total', '# TYPE a counter\na 1\n# EOF\n'],
    ['a unit that the name does not end in', '# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n'],
    ['a family twice', '# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na{c="d"} 1\n# EOF\n'],
  ])('would refuse OpenMetrics with %s', (_, body) => {
    expect(() => read('openmetrics', body)).toThrow();
  });
});
