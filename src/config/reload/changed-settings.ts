/** Which settings differ between two configurations, but for the prefixes. */
import { z } from 'zod';
import type { Config } from '../config.ts';
import { configSchema } from '../schema.ts';

/** Names as in a file, such as `table.route_ttl`; a section where the whole of it came or went, or where it is deeper. */
export function changedSettings(before: Config, after: Config): string[] {
  const { prefixes: _before, ...fixed } = before;
  const { prefixes: _after, ...next } = after;
  const sections = Object.keys({ ...fixed, ...next }) as (keyof typeof fixed)[];
  const named = keysOf(configSchema);
  return sections.flatMap((section) =>
    changedIn(named.find((key) => isNamed(section, key)) ?? section, fixed[section], next[section]),
  );
}

function changedIn(section: string, before: object | string | undefined, after: object | string | undefined): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (typeof before !== 'object' || typeof after !== 'object') return [section];
  const [former, next] = [valuesOf(before), valuesOf(after)];
  const properties = [...new Set([...former.keys(), ...next.keys()])].filter(
    (property) => former.get(property) !== next.get(property),
  );
  const keys = keysOf(configSchema, section);
  const names = properties.map((property) => keys.find((key) => isNamed(property, key)));
  return names.some((name) => name === undefined) ? [section] : names.map((name) => `${section}.${name}`);
}

function valuesOf(part: object): Map<string, string> {
  return new Map(Object.entries(part).map(([name, value]) => [name, JSON.stringify(value)]));
}

/** Whether a property of the configuration holds the setting: `routeTtlMs` is `route_ttl`, `listenAddresses` is `listen_address`. */
function isNamed(property: string, key: string): boolean {
  const words = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return [words, `${words}Ms`, `${words}es`].includes(property);
}

/** The keys of a section of the schema. */
function keysOf(schema: z.core.$ZodType, section?: string): string[] {
  if (schema instanceof z.ZodOptional) return keysOf(schema.unwrap(), section);
  if (schema instanceof z.ZodPipe) return keysOf(schema.out, section);
  if (!(schema instanceof z.ZodObject)) return [];
  if (section === undefined) return Object.keys(schema.shape);
  const inner = schema.shape[section] as z.core.$ZodType | undefined;
  return inner === undefined ? [] : keysOf(inner);
}
