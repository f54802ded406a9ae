/** Defaults, and over them what was given. A setting that is there but undefined is as good as absent. */
export function withDefaults<T extends object>(
  defaults: T,
  given: { readonly [K in keyof T]?: T[K] | undefined } = {},
): T {
  const stated = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(stated) as Partial<T>) };
}
