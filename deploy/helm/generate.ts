/**
 * Writes what the chart repeats of the project: the schema of its values from the configuration's own, and copies of the rules and
 * dashboards, since a chart is packed with what is in its folder only. `npm run deploy:generate`; a test says when a file is stale.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configSchema } from '../../src/config/schema.ts';
import { type JsonKinds, jsonKinds } from '../../src/config/values.ts';

export const CHART = fileURLToPath(new URL('bgproutes-exporter/', import.meta.url));
export const DEPLOY = fileURLToPath(new URL('../', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

type JsonSchema = Record<string, unknown>;

/** A text may be a variable that the exporter replaces: `${NAME}`. */
const VARIABLE = { type: 'string', pattern: '\\$\\{' };

function kindsAsJson({ words, items, ...kinds }: JsonKinds): JsonSchema {
  return {
    ...(words === undefined ? kinds : { anyOf: [{ enum: words }, VARIABLE] }),
    ...(items === undefined ? {} : { items: kindsAsJson(items) }),
  };
}

/**
 * The configuration file as a JSON schema: its sections, their keys, and the kinds of values. It refuses a key that the exporter does not
 * know and a text where a list stands; bounds and the form of texts are what the exporter itself says at its start.
 */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, {
    io: 'output',
    unrepresentable: 'any',
    // What is read has defaults and another form than what is written.
    override: ({ zodSchema, jsonSchema }) => {
      delete jsonSchema.default;
      delete jsonSchema.required;
      const known = jsonKinds.get(zodSchema);
      if (known === undefined) return;
      const { description, ...kinds } = known;
      Object.assign(jsonSchema, { description, ...kindsAsJson(kinds) });
    },
  }) as JsonSchema;
}

const text = { type: 'string' };
const flag = { type: 'boolean' };
const map = { type: 'object', additionalProperties: true };
const texts = { type: 'object', additionalProperties: text };
const objects = { type: 'array', items: { type: 'object' } };

function closed(properties: JsonSchema): JsonSchema {
  return { type: 'object', additionalProperties: false, properties };
}

/** The values of one exporter; a release has one, or several by name. */
function exporterValues(): JsonSchema {
  const { $schema: _, ...config } = configJsonSchema();
  return {
    config,
    demo: flag,
    replicas: { type: 'integer', minimum: 0 },
    apiKey: closed({ value: text, existingSecret: text, key: { ...text, minLength: 1 } }),
    kafka: closed({ existingSecret: text }),
    web: closed({
      existingSecret: text,
      key: { ...text, minLength: 1 },
      scheme: { enum: ['http', 'https'] },
      healthcheckArgs: { type: 'array', items: text },
      scrape: map,
    }),
    persistence: closed({
      enabled: flag,
      size: text,
      storageClassName: { type: ['string', 'null'] },
      accessModes: { type: 'array', items: text },
    }),
    resources: map,
    extraArgs: { type: 'array', items: text },
    extraEnv: objects,
    extraEnvFrom: objects,
    extraVolumes: objects,
    extraVolumeMounts: objects,
    podLabels: texts,
    podAnnotations: texts,
    nodeSelector: texts,
    tolerations: objects,
    affinity: map,
    priorityClassName: text,
    topologySpreadConstraints: objects,
    terminationGracePeriodSeconds: { type: 'integer', minimum: 1 },
  };
}

export function valuesSchema(): JsonSchema {
  const each = exporterValues();
  const peers = objects;
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart bgproutes-exporter',
    ...closed({
      global: map,
      nameOverride: text,
      fullnameOverride: text,
      image: closed({
        repository: { ...text, minLength: 1 },
        tag: text,
        digest: text,
        pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
      }),
      imagePullSecrets: objects,
      labels: texts,
      ...each,
      exporters: {
        type: 'object',
        propertyNames: { pattern: '^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$' },
        additionalProperties: closed(each),
      },
      ingest: closed({
        replicas: { type: 'integer', minimum: 0 },
        resources: map,
        createTopics: flag,
        topicReplicas: { type: 'integer', minimum: 0, maximum: 100 },
      }),
      service: closed({ annotations: texts, labels: texts }),
      monitor: closed({
        kind: { enum: ['', 'ServiceMonitor', 'PodMonitor'] },
        labels: texts,
        interval: text,
        scrapeTimeout: text,
        relabelings: objects,
        metricRelabelings: objects,
      }),
      rules: closed({ enabled: flag, labels: texts, runbookUrl: text, extraGroups: objects }),
      dashboards: closed({ enabled: flag, labels: texts, annotations: texts, runbookUrl: text }),
      networkPolicy: closed({ enabled: flag, scrapeFrom: peers, extraEgress: objects, extraIngress: objects }),
      podDisruptionBudget: closed({ enabled: flag }),
      serviceAccount: closed({ create: flag, name: text, annotations: texts }),
    }),
  };
}

/** The rules as an object for prometheus-operator, for kustomize. */
function prometheusRule(rules: string): string {
  const head = `# Written by \`npm run deploy:generate\` from alerts/bgproutes.rules.yml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: bgproutes-exporter
  labels:
    app.kubernetes.io/name: bgproutes-exporter
    app.kubernetes.io/instance: bgproutes-exporter
spec:
`;
  return head + rules.replace(/^(?=.)/gm, '  ');
}

/** Path from `deploy/` to text. */
export function deployFiles(): ReadonlyMap<string, string> {
  const copy = (path: string): string => readFileSync(ROOT + path, 'utf8');
  const dashboards = readdirSync(`${ROOT}dashboards/generated`).filter((name) => name.endsWith('.json'));
  return new Map([
    ['helm/bgproutes-exporter/values.schema.json', `${JSON.stringify(valuesSchema(), null, 2)}\n`],
    ['helm/bgproutes-exporter/files/bgproutes.rules.yml', copy('alerts/bgproutes.rules.yml')],
    ['kustomize/monitoring/rules.yaml', prometheusRule(copy('alerts/bgproutes.rules.yml'))],
    ...dashboards.map(
      (name) => [`helm/bgproutes-exporter/files/dashboards/${name}`, copy(`dashboards/generated/${name}`)] as const,
    ),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, content] of deployFiles()) {
    mkdirSync(dirname(DEPLOY + path), { recursive: true });
    writeFileSync(DEPLOY + path, content);
  }
}
