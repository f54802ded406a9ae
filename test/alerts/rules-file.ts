/** alerts/bgproutes.rules.yml as data. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
export interface AlertRule extends Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface RulesFile {
  readonly groups: readonly { readonly name: string; readonly interval?: string; readonly rules: readonly Rule[] }[];
}

export const ALERTS_FOLDER = fileURLToPath(new URL('../../alerts/', import.meta.url));

export function readRules(name = 'bgproutes.rules.yml'): RulesFile {
  return parse(readFileSync(ALERTS_FOLDER + name, 'utf8')) as RulesFile;
}

export const RULES: readonly Rule[] = readRules().groups.flatMap((group) => group.rules);
export const ALERTS: readonly AlertRule[] = RULES.filter((rule): rule is AlertRule => rule.alert !== undefined);

/** Names that rules write: the bundled ones, and those that a user's own file may. */
export const RECORDED: ReadonlySet<string> = new Set(
  [...RULES, ...readRules('thresholds.example.yml').groups.flatMap((group) => group.rules)]
    .map((rule) => rule.record)
    .filter((name) => name !== undefined),
);

/** Queries inside the templates of annotations, without the labels of the alert that take the place of each `%s`. */
export function queriesInTemplates(rule: AlertRule): string[] {
  return Object.values(rule.annotations).flatMap((text) =>
    [...text.matchAll(/printf `([^`]+)`/g)].map(([, query]) => query!.replaceAll('%s', '')),
  );
}
