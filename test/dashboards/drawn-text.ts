/**
 * What a reader reads in a panel, made by Grafana's own `@grafana/data`: transformations, overrides, units, mappings. What is
 * ours is what Grafana's data source does before: frames from Prometheus' answers.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Series } from './prometheus.ts';

/** The little that is used of the package, which is too large to be a dependency. */
interface GrafanaData {
  toDataFrame(frame: object): Frame;
  createTheme(options: object): object;
  Registry: new (items: () => readonly object[]) => object;
  standardTransformers: Readonly<Record<string, { readonly id: string }>>;
  standardTransformersRegistry: { setInit(items: () => readonly object[]): void };
  transformDataFrame(
    transformations: readonly object[],
    frames: readonly Frame[],
    context: object,
  ): { subscribe(observer: { next(frames: Frame[]): void; error(error: unknown): void }): void };
  applyFieldOverrides(options: object): Frame[];
  cacheFieldDisplayNames(frames: readonly Frame[]): void;
  getFieldDisplayName(field: Field, frame: Frame, frames: readonly Frame[]): string;
}
interface Field {
  readonly type: string;
  readonly values: readonly unknown[];
  display(value: unknown): { readonly prefix?: string; readonly text: string; readonly suffix?: string };
}
interface Frame {
  readonly fields: readonly Field[];
  readonly length: number;
}

/** Of one cell: what Prometheus said, and what is read. */
export interface Cell {
  readonly raw: unknown;
  readonly text: string;
}

const OPTIONS = [
  'unit',
  'decimals',
  'mappings',
  'thresholds',
  'color',
  'min',
  'max',
  'links',
  'noValue',
  'displayName',
];

export class GrafanaText {
  readonly #grafana: GrafanaData;

  /** `folder` has the package among its node_modules. */
  constructor(folder: string) {
    this.#grafana = createRequire(join(folder, 'package.json'))('@grafana/data') as GrafanaData;
    // It formats times as a browser would; before it is loaded these would make it look for a document.
    Object.assign(globalThis, { window: globalThis });
    if (!('navigator' in globalThis))
      Object.assign(globalThis, { navigator: { language: 'en-US', languages: ['en-US'] } });
    const known = new Set<string>();
    this.#grafana.standardTransformersRegistry.setInit(() =>
      Object.values(this.#grafana.standardTransformers)
        .filter(({ id }) => !known.has(id) && known.add(id))
        .map((each) => ({ id: each.id, name: each.id, transformation: async () => each, editor: () => null })),
    );
  }

  /** An answer to an instant query in the format "table". */
  #frame(refId: string, series: readonly Series[], ofMany: boolean): Frame {
    const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
    const fields = [
      { name: 'Time', type: 'time', config: {}, values: series.map(({ values }) => values[0]![0] * 1000) },
      ...labels.map((name) => ({
        name,
        type: 'string',
        config: { filterable: true },
        values: series.map(({ metric }) => metric[name] ?? ''),
      })),
      {
        name: ofMany ? `Value #${refId}` : 'Value',
        type: 'number',
        config: {},
        values: series.map(({ values }) => values[0]![1]),
      },
    ];
    return this.#grafana.toDataFrame({ refId, fields: series.length === 0 ? [] : fields });
  }

  #options(): object {
    const item = (id: string) => ({
      id,
      path: id,
      isCustom: false,
      name: id,
      process: (value: unknown) => value,
      shouldApply: () => true,
      override: () => null,
      editor: () => null,
    });
    return new this.#grafana.Registry(() => OPTIONS.map(item));
  }

  /** Rows of a table, from the answers to its queries in their order: column to cell. */
  async table(panel: Panel, answers: readonly (readonly Series[])[]): Promise<ReadonlyMap<string, Cell>[]> {
    const frames = answers.map((series, index) =>
      this.#frame(String.fromCharCode('A'.charCodeAt(0) + index), series, answers.length > 1),
    );
    const transformed = await new Promise<Frame[]>((resolve, reject) => {
      this.#grafana
        .transformDataFrame(panel.transformations ?? [], frames, { interpolate: (text: string) => text })
        .subscribe({ next: resolve, error: reject });
    });
    const shown = this.#grafana.applyFieldOverrides({
      data: transformed,
      fieldConfig: panel.fieldConfig,
      replaceVariables: (text: string) => text,
      theme: this.#grafana.createTheme({}),
      timeZone: 'utc',
      fieldConfigRegistry: this.#options(),
    });
    this.#grafana.cacheFieldDisplayNames(shown);
    const [frame] = shown;
    if (frame === undefined) return [];
    return Array.from(
      { length: frame.length },
      (_, row) =>
        new Map(
          frame.fields.map((field) => {
            const raw = field.values[row];
            const { prefix = '', text, suffix = '' } = field.display(raw);
            return [this.#grafana.getFieldDisplayName(field, frame, shown), { raw, text: prefix + text + suffix }];
          }),
        ),
    );
  }
}
