/** What a reload of the configuration can change, and what only a restart can: every key of the schema, and why. */
import { z } from 'zod';
import type { Config } from '../config.ts';
import { configSchema } from '../schema.ts';
import { startOnly } from '../values.ts';
import { changedSettings } from './changed-settings.ts';

/** One key of the file. */
export interface Setting {
  /** The name as in a file: `table.route_ttl`. Keys of the items of a list are not told apart. */
  readonly name: string;
  /** Why only a restart can change it; undefined: a reload can. */
  readonly startOnly: string | undefined;
}

/** All keys, in the order of the schema. */
export function settings(): Setting[] {
  return settingsOf(configSchema, '', undefined);
}

/** @param outerWhy of the section that the key is in: it holds for all of its keys */
function settingsOf(schema: z.core.$ZodType, name: string, outerWhy: string | undefined): Setting[] {
  const why = startOnly.get(schema)?.why ?? outerWhy;
  const shape = shapeOf(schema);
  if (shape === undefined) return [{ name, startOnly: why }];
  return Object.entries(shape).flatMap(([key, inner]) => settingsOf(inner, name === '' ? key : `${name}.${key}`, why));
}

function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return shapeOf(schema.unwrap());
  if (schema instanceof z.ZodPipe) return shapeOf(schema.out);
  return schema instanceof z.ZodObject ? schema.shape : undefined;
}

/** What differs and only a restart can change: a setting, or a section that came, went or differs in a part of a part. */
export function refusedByReload(before: Config, after: Config): Setting[] {
  const all = settings();
  return changedSettings(before, after).flatMap((name) => {
    const those = all.filter((setting) => setting.name === name || setting.name.startsWith(`${name}.`));
    const startOnly = those[0]?.startOnly;
    return startOnly !== undefined && those.every((setting) => setting.startOnly !== undefined)
      ? [{ name, startOnly }]
      : [];
  });
}
