/** Series of a world minute by minute: read from promtool's notation, and written in it again. */
import type { World } from './world.ts';

/** `_` is no sample, `stale` the end of a series. */
export type Sample = number | '_' | 'stale';

/** A series of a world: its metric, its labels, and a sample a minute. */
export interface Series {
  readonly metric: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
}

function samplesOf(values: string): Sample[] {
  return values.split(' ').flatMap((part): Sample[] => {
    if (part === 'stale' || part === '_') return [part];
    const gaps = /^_x(\d+)$/.exec(part);
    if (gaps !== null) return Array.from({ length: Number(gaps[1]) }, () => '_' as const);
    const [, first, step = '0', times = '0'] = /^(-?[\d.]+)([+-][\d.]+)?(?:x(\d+))?$/.exec(part)!;
    return Array.from({ length: Number(times) + 1 }, (_, i) => Number(first) + Number(step) * i);
  });
}

function valuesOf(samples: readonly Sample[]): string {
  const parts: string[] = [];
  for (let i = 0; i < samples.length; ) {
    const first = samples[i]!;
    let end = i + 1;
    if (typeof first === 'string') {
      if (first === '_') while (samples[end] === '_') end++;
      parts.push(first === '_' ? `_x${end - i}` : first);
    } else {
      const next = samples[end];
      const step = typeof next === 'number' ? next - first : 0;
      while (end < samples.length && samples[end] === first + step * (end - i)) end++;
      parts.push(
        end - i === 1 ? `${first}` : `${first}${step === 0 ? '' : step > 0 ? `+${step}` : step}x${end - i - 1}`,
      );
    }
    i = end;
  }
  return parts.join(' ');
}

/** Every series of the world, cut or continued with its last value to `minutes`. */
export function seriesOf(world: World): Series[] {
  return Object.entries(world)
    .filter(([, values]) => values !== '')
    .map(([selector, values]) => {
      const [, metric, labels] = /^([\w:]+)\{(.*)\}$/.exec(selector)!;
      const pairs = [...labels!.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!] as const);
      return { metric: metric!, labels: new Map(pairs), samples: samplesOf(values) };
    });
}

export function worldOfSeries(series: readonly Series[]): World {
  return Object.fromEntries(
    series.map(({ metric, labels, samples }) => [
      `${metric}{${[...labels].map(([name, value]) => `${name}="${value}"`).join(',')}}`,
      valuesOf(samples),
    ]),
  );
}

/** `extra` minutes more after `minute`, in which what stood still stands still, and what grew grows on. */
export function stretch({ samples, ...rest }: Series, minute: number, extra: number): Series {
  const [before, at] = [samples[minute - 1], samples[minute]];
  if (at === undefined) return { ...rest, samples };
  if (typeof at === 'string') {
    const more = Array.from({ length: extra }, () => '_' as const);
    return { ...rest, samples: [...samples.slice(0, minute + 1), ...more, ...samples.slice(minute + 1)] };
  }
  const step = typeof before === 'number' ? at - before : 0;
  const more = Array.from({ length: extra }, (_, i) => at + step * (i + 1));
  const later = samples.slice(minute + 1).map((each) => (typeof each === 'number' ? each + step * extra : each));
  return { ...rest, samples: [...samples.slice(0, minute + 1), ...more, ...later] };
}
