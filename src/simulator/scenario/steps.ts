/** What happens in a scenario: outages, hijacks, changed paths, lost VPs; by the clock or by hand. */
import { parsePrefix } from '../../bgp/prefix.ts';
import type { Internet } from '../internet/internet.ts';
import { type Random, seededRandom } from '../internet/random.ts';
import type { Route } from '../internet/routes/route.ts';
import type { SimulatedPrefix } from '../internet/simulated-prefix.ts';
import type { Timeline } from '../internet/timeline.ts';
import type { SimulatedVantagePoint } from '../internet/vantage-points.ts';
import type { World } from '../internet/world.ts';
import type { SimulatedSource } from '../services/source-names.ts';
import type { ScenarioStep, StepKind, StepNow } from './scenario.ts';
import { isSigned, signedPlan } from './signed-steps.ts';
import type { StepPlan } from './step-plan.ts';

/** A step that is over: all VPs know. */
export interface StepReport {
  /** When it began, in ms of the scenario. */
  readonly atMs: number;
  readonly kind: StepKind;
  /** Canonical text; undefined for a loss of VPs or of a source. */
  readonly prefix: string | undefined;
  /** What happened, in words. */
  readonly text: string;
  /** Which VPs were counted: `see 192.0.2.0/24`, `see AS64666 as its origin`, … */
  readonly counted: string;
  /**
   * From the beginning until the next planned step about the same prefix, in ms of the scenario: as long as the event lasts.
   * Undefined when none follows in the same round, and for a step that is done by hand.
   */
  readonly lastsMs: number | undefined;
  /** How often the average VP lost the prefix; undefined for other steps than a flap. */
  readonly flaps: number | undefined;
  /** How many they were when it began, and when all VPs knew. */
  readonly vpsBefore: number;
  readonly vpsAfter: number;
}

/** Steps that follow one another, and after how long the next round begins; undefined: none does. */
export interface Round {
  readonly steps: readonly ScenarioStep[];
  readonly lengthMs: number | undefined;
}

export interface StepsOptions {
  readonly world: World;
  readonly internet: Internet;
  readonly timeline: Timeline;
  readonly seed: number;
  readonly sources: SourceSwitch;
  /** What is signed has changed. */
  readonly signedChanged: () => void;
  readonly onStep: (report: StepReport) => void;
}

/** Takes a source away, and gives it back. */
export interface SourceSwitch {
  down(source: SimulatedSource): void;
  up(source: SimulatedSource): void;
  /** VPs that are heard through it now. */
  heard(source: SimulatedSource): number;
}

const DEFAULT_SPREAD_MS = 4_000;

function lastsMs(step: ScenarioStep, steps: readonly ScenarioStep[]): number | undefined {
  if (!isOnPrefix(step)) return step.for;
  const later = steps.filter((each) => isOnPrefix(each) && each.prefix === step.prefix && each.at > step.at);
  return later.length === 0 ? undefined : Math.min(...later.map(({ at }) => at)) - step.at;
}

function isOnPrefix<Step extends StepNow>(step: Step): step is Exclude<Step, { do: 'vp_loss' | 'source_loss' }> {
  return step.do !== 'vp_loss' && step.do !== 'source_loss';
}

export class Steps {
  readonly #options: StepsOptions;
  readonly #random: Random;

  constructor(options: StepsOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed, 'steps');
  }

  /** Plans a round of steps, then those of `next`, again and again. Throws a TypeError for an unknown prefix. */
  schedule(round: Round, next: Round = round): void {
    const { timeline } = this.#options;
    const startMs = timeline.nowMs;
    for (const step of round.steps) {
      timeline.at(startMs + step.at, () => this.run(step, DEFAULT_SPREAD_MS, lastsMs(step, round.steps)));
    }
    if (round.lengthMs !== undefined) timeline.at(startMs + round.lengthMs, () => this.schedule(next));
  }

  /** Does a step now. VPs follow at once when `spreadMs` is 0 and the step does not say otherwise. */
  run(step: StepNow, spreadMs: number, lastsMs?: number): void {
    const { timeline, onStep } = this.#options;
    const atMs = timeline.currentMs();
    const plan = this.#plan(step, spreadMs);
    const vpsBefore = plan.count();
    plan.run();
    const report = () =>
      onStep({
        atMs,
        kind: step.do,
        prefix: isOnPrefix(step) ? step.prefix : undefined,
        text: step.text ?? plan.text,
        counted: plan.counted,
        lastsMs,
        flaps: step.do === 'flap' ? step.times * (step.share ?? 1) : undefined,
        vpsBefore,
        vpsAfter: plan.count(),
      });
    if (plan.lastsMs === 0) report();
    else timeline.after(plan.lastsMs, report);
  }

  #plan(step: StepNow, defaultSpreadMs: number): StepPlan {
    if (step.do === 'vp_loss') return this.#vpLoss(step);
    if (step.do === 'source_loss') return this.#sourceLoss(step);
    const { internet } = this.#options;
    const prefix = internet.prefixes.get(parsePrefix(step.prefix)?.text ?? '');
    if (prefix === undefined) throw new TypeError(`${step.prefix} is not a prefix of this simulator`);
    if (isSigned(step)) {
      const { signedChanged } = this.#options;
      return signedPlan(step, { internet, prefix, signedChanged, count: (fits) => this.#count(prefix, fits) });
    }
    const spreadMs = step.spread ?? defaultSpreadMs;
    prefix.generation++;
    const seeing = { counted: `see ${prefix.text}`, count: () => this.#visible(prefix) };
    switch (step.do) {
      case 'outage': {
        const part = step.share ?? 1;
        return {
          text:
            part === 1
              ? `outage of ${prefix.text}`
              : `outage of ${prefix.text} at ${Math.round(part * 100)} % of the VPs`,
          ...seeing,
          lastsMs: spreadMs,
          run: () => {
            if (part === 1) internet.change(prefix, [], spreadMs);
            else this.#hide(prefix, part, spreadMs);
          },
        };
      }
      case 'recovery':
        return {
          text: `recovery of ${prefix.text}`,
          ...this.#recoveryCount(prefix),
          lastsMs: spreadMs,
          run: () => this.#recover(prefix, spreadMs),
        };
      case 'hijack': {
        const usualOrigins = prefix.usual.map(({ node }) => internet.graph.nodes[node].asn);
        const isForged = step.forged_origin === true && usualOrigins.length > 0;
        const hijacker = internet.hijacker(step.by, isForged ? usualOrigins.slice(0, 1) : []);
        return {
          text: `hijack of ${prefix.text} by AS${step.by}${isForged ? ' behind a forged origin' : ''}`,
          counted: isForged
            ? `reach ${prefix.text} through AS${step.by}`
            : `see AS${step.by} as origin of ${prefix.text}`,
          count: () => this.#count(prefix, (path) => path.at(isForged ? -2 : -1) === step.by),
          lastsMs: spreadMs,
          run: () =>
            internet.change(
              prefix,
              [...prefix.announcers.filter(({ node }) => node !== hijacker.node), hijacker],
              spreadMs,
            ),
        };
      }
      case 'subprefix_hijack': {
        const part = internet.obtain(parsePrefix(step.more_specific)!.text);
        return {
          text: `hijack of ${part.text}, a part of ${prefix.text}, by AS${step.by}`,
          counted: `see ${part.text}`,
          count: () => this.#visible(part),
          lastsMs: spreadMs,
          run: () => {
            prefix.hijackedParts.add(part);
            part.generation++;
            internet.change(part, [internet.hijacker(step.by, [])], spreadMs);
          },
        };
      }
      case 'prepend': {
        const towards = step.upstream === undefined ? undefined : internet.graph.find(step.upstream);
        return {
          text: `${prefix.text} prepended ${timesOf(step.times)}${step.upstream === undefined ? '' : ` towards AS${step.upstream}`}`,
          counted: `see ${prefix.text} prepended`,
          count: () => this.#count(prefix, (path) => path.length > 1 && path.at(-1) === path.at(-2)),
          lastsMs: spreadMs,
          run: () => {
            const prepended = prefix.announcers.map((announcer) => {
              const providers = [...(announcer.upstreams ?? internet.graph.nodes[announcer.node].providers)];
              const changed = providers.filter((provider) => towards === undefined || provider === towards);
              return {
                ...announcer,
                prepends: new Map([...announcer.prepends, ...changed.map((node) => [node, step.times] as const)]),
              };
            });
            internet.change(prefix, prepended, spreadMs);
          },
        };
      }
      case 'upstream_change': {
        const upstreams = new Set(step.upstreams);
        return {
          text: `${prefix.text} now over ${step.upstreams.map((asn) => `AS${asn}`).join(', ')}`,
          counted: `see ${prefix.text} over ${step.upstreams.map((asn) => `AS${asn}`).join(', ')}`,
          count: () => this.#count(prefix, (path) => upstreams.has(path.findLast((asn) => asn !== path.at(-1)) ?? 0)),
          lastsMs: spreadMs,
          run: () => {
            const moved = prefix.announcers.map(({ node }) => internet.announcer(node, step.upstreams));
            internet.change(prefix, moved, spreadMs);
          },
        };
      }
      case 'flap':
        return {
          text: `${prefix.text} flaps ${timesOf(step.times)}`,
          ...seeing,
          lastsMs: step.times * step.interval,
          run: () => this.#flap(prefix, step.times, step.interval, step.share ?? 1),
        };
    }
  }

  #visible(prefix: SimulatedPrefix): number {
    return this.#options.world.store.visible(prefix.number);
  }

  /** VPs of live sources whose AS path for the prefix fits. */
  #count(prefix: SimulatedPrefix, fits: (path: readonly number[]) => boolean): number {
    const { world } = this.#options;
    let fitting = 0;
    for (const vp of world.liveVantagePoints()) {
      const route: Route | undefined = world.store.held(vp.index, prefix.number);
      if (route !== undefined && fits(route.asPath.split(' ').map(Number))) fitting++;
    }
    return fitting;
  }

  /** Whom a recovery sets right: VPs that hold the usual path, or that see a part of the prefix hijacked. */
  #recoveryCount(prefix: SimulatedPrefix): { counted: string; count: () => number } {
    const { world, internet } = this.#options;
    const parts = [...prefix.hijackedParts];
    if (parts.length > 0) {
      const counted = `see ${parts.map((part) => part.text).join(' or ')}`;
      return { counted, count: () => Math.max(...parts.map((part) => this.#visible(part))) };
    }
    const usual = internet.usualPaths(prefix);
    const isUsual = (vp: SimulatedVantagePoint) =>
      usual.has(vp) && world.store.held(vp.index, prefix.number)?.asPath === usual.get(vp);
    return {
      counted: `hold their usual path to ${prefix.text}`,
      count: () => world.liveVantagePoints().filter(isUsual).length,
    };
  }

  #hide(prefix: SimulatedPrefix, share: number, spreadMs: number): void {
    const { world, internet } = this.#options;
    const seeing = world.points.all.filter((vp) => world.held(vp, prefix.number) !== undefined);
    for (const vp of this.#random.sample(seeing, Math.round(seeing.length * share))) prefix.hiddenFrom.add(vp);
    internet.spread(prefix, spreadMs);
  }

  #recover(prefix: SimulatedPrefix, spreadMs: number): void {
    const { internet } = this.#options;
    prefix.hiddenFrom.clear();
    if (prefix.roas !== undefined || prefix.aspas.size > 0) {
      prefix.roas = undefined;
      prefix.aspas.clear();
      this.#options.signedChanged();
    }
    internet.change(prefix, prefix.usual, spreadMs);
    for (const part of prefix.hijackedParts) {
      part.generation++;
      internet.change(part, part.usual, spreadMs);
    }
    prefix.hijackedParts.clear();
  }

  #flap(prefix: SimulatedPrefix, times: number, intervalMs: number, share: number): void {
    const { internet, timeline } = this.#options;
    const { generation } = prefix;
    const halfMs = intervalMs / 2;
    for (let i = 0; i < times; i++) {
      const planned = (delayMs: number, run: () => void) =>
        timeline.after(delayMs, () => {
          if (prefix.generation === generation) run();
        });
      planned(i * intervalMs, () => this.#hide(prefix, share, halfMs / 2));
      planned(i * intervalMs + halfMs, () => {
        prefix.hiddenFrom.clear();
        internet.spread(prefix, halfMs / 2);
      });
    }
  }

  /** Reported twice when the VPs come back: a loss is over when they are gone, and again when they are here. */
  #vpLoss(step: Extract<StepNow, { do: 'vp_loss' }>): StepPlan {
    const { world, timeline } = this.#options;
    const up = { counted: 'are up', count: () => world.liveVantagePoints().length };
    const share = Math.round((step.share ?? 0) * 100);
    return {
      text: step.vps === undefined ? `${share} % of the VPs lost` : `${step.vps} VPs lost`,
      ...up,
      lastsMs: 0,
      run: () => {
        const live = world.liveVantagePoints();
        const lost = this.#random.sample(live, step.vps ?? Math.round(live.length * (step.share ?? 0)));
        for (const vp of lost) world.setStatus(vp, 'down');
        if (step.for === undefined) return;
        timeline.after(step.for, () => {
          const vpsBefore = up.count();
          for (const vp of lost) if (world.statusOf(vp) === 'down') world.setStatus(vp, 'up');
          this.#isBack(step.do, `${up.count() - vpsBefore} VPs are back`, up, vpsBefore);
        });
      },
    };
  }

  /** Reported twice when the source comes back, as a loss of VPs is. */
  #sourceLoss(step: Extract<StepNow, { do: 'source_loss' }>): StepPlan {
    const { sources, timeline } = this.#options;
    const { source } = step;
    const heard = { counted: `are heard through ${source}`, count: () => sources.heard(source) };
    return {
      text: `${source} is down`,
      ...heard,
      lastsMs: 0,
      run: () => {
        sources.down(source);
        if (step.for === undefined) return;
        timeline.after(step.for, () => {
          const vpsBefore = heard.count();
          sources.up(source);
          this.#isBack(step.do, `${source} is back`, heard, vpsBefore);
        });
      },
    };
  }

  #isBack(
    kind: StepKind,
    text: string,
    { counted, count }: Pick<StepPlan, 'counted' | 'count'>,
    vpsBefore: number,
  ): void {
    const { timeline, onStep } = this.#options;
    onStep({
      ...{ atMs: timeline.currentMs(), kind, prefix: undefined, text, counted },
      ...{ lastsMs: undefined, flaps: undefined, vpsBefore, vpsAfter: count() },
    });
  }
}

function timesOf(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
