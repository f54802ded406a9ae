/** A body of /metrics as values by series, so that two writers can be compared whatever order they write in. */

/** Series as `name{key="value",…}` with the keys in order. */
export function seriesOf(body: string): Record<string, number> {
  const series: Record<string, number> = {};
  for (const line of body.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const at = line.lastIndexOf(' ');
    const open = line.indexOf('{');
    const name = open === -1 ? line.slice(0, at) : line.slice(0, open);
    // Label values of the bench hold neither commas nor quotes.
    const labels =
      open === -1
        ? ''
        : line
            .slice(open + 1, line.lastIndexOf('}'))
            .split(',')
            .sort()
            .join(',');
    series[`${name}{${labels}}`] = Number(line.slice(at + 1));
  }
  return series;
}

/** The part of `series` that is not 0 and of a name that `like` has too, in order. */
export function comparable(
  series: Readonly<Record<string, number>>,
  like: Readonly<Record<string, number>>,
): [string, number][] {
  const names = new Set(Object.keys(like).map(nameOf));
  return Object.entries(series)
    .filter(([id, value]) => value !== 0 && names.has(nameOf(id)))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function nameOf(id: string): string {
  return id.slice(0, id.indexOf('{'));
}
