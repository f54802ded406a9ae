/** Lines over time as the rows of the Exporter dashboard have them, each of an exporter or of one of its sessions. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { lines, type Queries } from './panels.ts';
import { EXPORTER, SESSION } from './variables.ts';

/** A heading and the panels below it, in reading order. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Parameters<DashboardBuilder['withPanel']>[0][];
}

export function withRow(dashboard: DashboardBuilder, { title, panels }: Row): DashboardBuilder {
  dashboard.withRow(new RowBuilder(title));
  for (const panel of panels) dashboard.withPanel(panel);
  return dashboard;
}

/** An expression and what it is. Without the latter the line is named by whose it is alone. */
type Course = readonly [expression: string, what?: string];

/** What it is goes before whose it is: long names are cut at their end. */
function named(who: string, courses: readonly Course[]): Queries {
  return courses.map(([expression, what]) => [expression, what === undefined ? who : `${what}: ${who}`]);
}
export function ofExporters(...courses: readonly Course[]): Queries {
  return named(EXPORTER, courses);
}
export function ofSessions(...courses: readonly Course[]): Queries {
  return named(SESSION, courses);
}

interface Own {
  readonly title: string;
  readonly description: string;
  readonly queries: Queries;
  /** A third of the page without. */
  readonly width?: number;
  readonly height?: number;
  readonly noValue?: string;
}

/** As high as three lines of a narrow panel's legend need, which is a third of it: those of one exporter are then read without scrolling. */
const SIZE = { width: 8, height: 9, min: 0 } as const;

/** What is there at any time: levels, shares, rates. */
export function levels(
  panel: Own & { readonly unit: string; readonly decimals?: number; readonly onlyWhatHappened?: boolean },
) {
  return lines({ ...SIZE, ...panel });
}

/** What happens now and then: how often within the last interval. Only what did is in the legend. */
export function events(panel: Own) {
  return lines({ ...SIZE, unit: 'short', decimals: 0, onlyWhatHappened: true, ...panel });
}
