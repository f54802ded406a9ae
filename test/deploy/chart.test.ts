/** What the chart repeats of the project is what the project says; what it renders is looked at in test/real. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { CHART, configJsonSchema, DEPLOY, deployFiles, valuesSchema } from '../../deploy/helm/generate.ts';
import { fleetCommand } from '../../src/commands/fleet.ts';
import { CONFIG_FLAGS } from '../../src/config/flags.ts';
import { configSchema } from '../../src/config/schema.ts';
import { type JsonKinds, jsonKinds } from '../../src/config/values.ts';

const chart = (path: string): string => readFileSync(CHART + path, 'utf8');
const values = parse(chart('values.yaml')) as Record<string, unknown>;

interface Schema {
  readonly properties: Readonly<Record<string, Schema>>;
  readonly items: Schema;
  readonly additionalProperties?: unknown;
}

describe('the chart', () => {
  it.each([...deployFiles()])('has %s as `npm run deploy:generate` writes it', (path, content) => {
    expect(readFileSync(DEPLOY + path, 'utf8')).toBe(content);
  });

  it('knows the sections and keys of the configuration, and no others', () => {
    const schema = configJsonSchema() as unknown as Schema;
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['prefixes', 'bgproutes', 'table', 'otlp', 'log']),
    );
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties.prefixes!.items).toMatchObject({
      additionalProperties: false,
      properties: { prefix: { type: 'string' }, origins: { type: 'array' } },
    });
    expect(schema.properties.otlp!.properties.headers).toMatchObject({ type: 'object' });
    expect(schema.properties.log!.properties.level).toMatchObject({
      anyOf: [{ enum: ['debug', 'info', 'warn', 'error'] }, {}],
    });
    expect(schema.properties.bgproutes!.properties.prefixes_per_key).toMatchObject({ type: ['integer', 'string'] });
  });

  it('refuses no kind of value that the program takes', () => {
    const kinds: Readonly<Record<string, unknown[]>> = {
      boolean: [true, false],
      integer: [0, 1, 64500],
      string: [
        '',
        'true',
        'on',
        '1',
        '1h',
        'a',
        'info',
        '192.0.2.0/24',
        'http://a.example',
        'ws://a.example',
        '/a',
        ':1',
        'AS1',
      ],
      array: [[], [64500]],
      object: [{ a: 'b' }],
    };
    const seen: string[] = [];
    z.toJSONSchema(configSchema, {
      io: 'output',
      unrepresentable: 'any',
      override: ({ zodSchema }) => {
        const known: (JsonKinds & { readonly description: string }) | undefined = jsonKinds.get(zodSchema);
        if (known === undefined) return;
        seen.push(known.description);
        for (const [type, samples] of Object.entries(kinds)) {
          const taken = samples.filter((sample) => z.safeParse(zodSchema, sample).success);
          if (taken.length > 0)
            expect([known.type].flat(), `${known.description}: ${JSON.stringify(taken)}`).toContain(type);
        }
      },
    });
    expect(seen.length).toBeGreaterThan(15);
  });

  it('has a default for every value that the schema knows, but what is only of Helm', () => {
    const known = valuesSchema() as unknown as Schema;
    expect(Object.keys(values).toSorted()).toEqual(
      Object.keys(known.properties)
        .filter((name) => name !== 'global')
        .toSorted(),
    );
    for (const [name, section] of Object.entries(known.properties)) {
      if (section.additionalProperties !== false || name === 'config') continue;
      expect(Object.keys(values[name] as object).toSorted(), name).toEqual(Object.keys(section.properties).toSorted());
    }
  });

  it('gives the exporter only flags that it has', () => {
    const flags = [...chart('templates/statefulset.yaml').matchAll(/^ +- --([a-z.-]+)=/gm)].map(([, name]) => name!);
    expect(flags).toContain('config.file');
    const known = ['pace', ...[...(fleetCommand.flags ?? []), ...CONFIG_FLAGS].map(({ name }) => name)];
    expect(flags.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('takes every file of a sample of values, and each dashboard of kustomize', () => {
    expect(readdirSync(`${CHART}ci`).length).toBeGreaterThan(2);
    const component = chart('files/dashboards/kustomization.yaml');
    for (const name of readdirSync(`${CHART}files/dashboards`).filter((each) => each.endsWith('.json'))) {
      expect(component).toContain(`=${name}]`);
    }
  });
});
