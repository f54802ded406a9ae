/** How many runs a property gets: a quick number in the suite, more when PROPERTY_FACTOR says so. */
const factor = Number(process.env.PROPERTY_FACTOR ?? '1');

export function runs(count: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(count * factor) };
}
