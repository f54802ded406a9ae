/** Tables: one row a key, joined from one query a column; or the series of one query, a row each. */
import type { Threshold, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import * as tables from '@grafana/grafana-foundation-sdk/table';
import { common, now, type Panel, refId } from './panels.ts';

/** A column that is the value of a query. */
export interface Column {
  readonly name: string;
  readonly query: string;
  readonly unit?: string;
  readonly decimals?: number;
  /** In pixels; without it the column takes what the others leave. */
  readonly width?: number;
  /** Brings labels and rows; its value is not shown. */
  readonly labelsOnly?: boolean;
  /** Colour by value: of the cell, or with `ink` of the number. */
  readonly steps?: readonly Threshold[];
  readonly ink?: boolean;
  /** Words for values; their colours are the cell's. */
  readonly mappings?: ValueMapping[];
  /** What stands in the cell of a row that the query says nothing of. */
  readonly noValue?: string;
}

/** A column that is a label of a query of the table, such as `group`. */
export interface LabelColumn {
  readonly label: string;
  readonly name: string;
  readonly width?: number;
  /** The address that its cells lead to. */
  readonly link?: string;
  /** Long ones take a second line, where their end tells them apart. */
  readonly wraps?: boolean;
  readonly mappings?: ValueMapping[];
}

interface Property {
  readonly id: string;
  readonly value: unknown;
}

/** In the order of the columns: field of the frame, and the name it is shown by. */
type Shown = readonly (readonly [field: string, name: string])[];

/** Which fields of the frame stay: those named, or all but those named. */
type Kept =
  | { readonly include: { readonly names: readonly string[] } }
  | { readonly exclude: { readonly names: readonly string[] } };

function header(width: number | undefined): Property[] {
  return [
    { id: 'custom.wrapHeaderText', value: true },
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
  ];
}

/** Grafana 12.0 and 12.1 know the first, later ones the second. */
const WRAPS: readonly Property[] = [
  { id: 'custom.cellOptions', value: { type: 'auto', wrapText: true } },
  { id: 'custom.wrapText', value: true },
];

/** A label is text, also where it looks like a number: an AS, a revision, a group named 007. */
function labelProperties({ name, width, link, mappings, wraps }: LabelColumn): Property[] {
  return [
    { id: 'unit', value: 'string' },
    ...header(width),
    ...(link === undefined ? [] : [{ id: 'links', value: [{ title: `${name} in depth`, url: link }] }]),
    ...(mappings === undefined ? [] : [{ id: 'mappings', value: mappings }]),
    ...(wraps === true ? WRAPS : []),
  ];
}

function hasColour({ options }: ValueMapping): boolean {
  return JSON.stringify(options).includes('"color"');
}

function valueProperties(column: Column, unit: string): Property[] {
  const properties: Property[] = [{ id: 'unit', value: column.unit ?? unit }, ...header(column.width)];
  if (column.decimals !== undefined) properties.push({ id: 'decimals', value: column.decimals });
  if (column.mappings !== undefined) properties.push({ id: 'mappings', value: column.mappings });
  if (column.noValue !== undefined) properties.push({ id: 'noValue', value: column.noValue });
  if (column.steps !== undefined) {
    properties.push({ id: 'thresholds', value: { mode: 'absolute', steps: column.steps } });
    properties.push({ id: 'color', value: { mode: 'thresholds' } });
  }
  // Without a colour of its own a cell would take the default of all cells.
  if (column.steps !== undefined || column.mappings?.some(hasColour) === true) {
    const type = column.ink === true ? 'color-text' : 'color-background';
    properties.push({ id: 'custom.cellOptions', value: { type, mode: 'basic' } });
  }
  return properties;
}

type SortBy = readonly { readonly column: string; readonly descending: boolean }[];

function arrange(builder: tables.PanelBuilder, shown: Shown, kept: Kept, sortBy: SortBy): void {
  const fields = shown.map(([field]) => field);
  builder.withTransformation({ id: 'filterFieldsByName', options: kept });
  builder.withTransformation({
    id: 'organize',
    options: {
      excludeByName: {},
      indexByName: Object.fromEntries(fields.map((field, index) => [field, index])),
      renameByName: Object.fromEntries(shown),
    },
  });
  builder.sortBy(
    sortBy.map(({ column, descending }) => ({ build: () => ({ displayName: column, desc: descending }) })),
  );
}

/** One row for each value of `key`, joined from one query a column. The first column of `sortBy` goes first. */
export function table(
  panel: Panel & {
    readonly key: LabelColumn;
    readonly columns: readonly (Column | LabelColumn)[];
    readonly sortBy?: SortBy;
    /** Of a column without a width, in pixels; Grafana's own is 150. */
    readonly minWidth?: number;
  },
) {
  const builder = common(new tables.PanelBuilder(), panel).filterable(true);
  if (panel.minWidth !== undefined) builder.minWidth(panel.minWidth);
  const shown: (readonly [field: string, name: string])[] = [[panel.key.label, panel.key.name]];
  builder.overrideByName(panel.key.name, labelProperties(panel.key));
  let queries = 0;
  for (const column of panel.columns) {
    if ('label' in column) {
      shown.push([column.label, column.name]);
      builder.overrideByName(column.name, labelProperties(column));
      continue;
    }
    // Each query brings a column "Value #A", "Value #B", …, and its own "Time N".
    const id = refId(queries);
    builder.withTarget(now(column.query, queries++, '').format(PromQueryFormat.Table));
    if (column.labelsOnly === true) continue;
    shown.push([`Value #${id}`, column.name]);
    builder.overrideByName(column.name, valueProperties(column, panel.unit));
  }
  builder.withTransformation({ id: 'joinByField', options: { byField: panel.key.label, mode: 'outer' } });
  arrange(builder, shown, { include: { names: shown.map(([field]) => field) } }, panel.sortBy ?? []);
  return builder;
}

/** What stands in a cell of a series that has not the label; without it the table's own word for "nothing" would. */
const NO_LABEL = { id: 'noValue', value: '-' };

/**
 * One row for each series of one query, the one of `value`, which stands where `columns` say. Behind them come the labels that
 * are neither there nor `hidden`: those that the user's targets have. `noValue` stands there when there is no series.
 */
export function list(
  panel: Panel & {
    readonly value: Column;
    readonly columns: readonly (LabelColumn | 'value')[];
    readonly hidden: readonly string[];
    readonly sortBy: SortBy;
    readonly noValue: string;
  },
) {
  const builder = common(new tables.PanelBuilder(), panel)
    .filterable(true)
    // So that labels of the user's own find a place beside the others.
    .minWidth(80)
    .noValue(panel.noValue)
    .withTarget(now(panel.value.query, 0, '').format(PromQueryFormat.Table));
  const shown = panel.columns.map((column) => {
    if (column === 'value') {
      builder.overrideByName(panel.value.name, valueProperties(panel.value, panel.unit));
      return ['Value', panel.value.name] as const;
    }
    builder.overrideByName(column.name, [...labelProperties(column), NO_LABEL]);
    return [column.label, column.name] as const;
  });
  arrange(builder, shown, { exclude: { names: ['Time', ...panel.hidden] } }, panel.sortBy);
  return builder;
}
