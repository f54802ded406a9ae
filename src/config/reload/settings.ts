/** What a reload of the configuration can change, and what only a restart can: every key of the schema, and why. */
import { z } from 'zod';
import type { Config } from '../config.ts';
import { configSchema } from '../schema.ts';
import { startOnly } from '../values.ts';
import { changedSettings } from './changed-settings.ts';

/** One key of the file. */
export interface Setting {
  /** As in a file: `table.route_ttl`. Keys of the items of a list are not told apart. */
  readonly name: string;
  /** Why only a restart can change it; undefined: a reload can. */
  readonly startOnly: string | undefined;
}

/** All keys, in the order of the schema. */
export function settings(): Setting[] {
  return settingsOf(configSchema, '');
}

function settingsOf(schema: z.core.$ZodType, name: string): Setting[] {
  const why = startOnly.get(schema)?.why;
  const shape = shapeOf(schema);
  if (shape === undefined) return [{ name, startOnly: why }];
  return Object.entries(shape).flatMap(([key, inner]) => settingsOf(inner, name === '' ? key : `${name}.${key}`));
}

function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return shapeOf(schema.unwrap());
  if (schema instanceof z.ZodPipe) return shapeOf(schema.out);
  return schema instanceof z.ZodObject ? schema.shape : undefined;
}

/** Settings that differ and that only a restart can change. */
export function refusedByReload(before: Config, after: Config): Setting[] {
  const changed = new Set(changedSettings(before, after));
  return settings().filter((setting) => setting.startOnly !== undefined && changed.has(setting.name));
}
