/** One case of an alert: a world, and what fires in it. */
import type { Mishap } from './mishaps.ts';
import type { World } from './world.ts';

/** An alert that fires: its name and the labels that tell it from its siblings. */
export type Fired = Readonly<Record<string, string>> & { readonly alertname: string; readonly severity: string };

export interface Check {
  /** Minute of the world. */
  readonly at: number;
  /** Of several sites the one that is looked at; all when it is missing. */
  readonly site?: string;
  /** All alerts that fire then, of any name: nothing else may. */
  readonly firing: readonly Fired[];
}

/** The text that a firing alert sends, with its whole set of labels, or several sets that send the same. */
export interface Message {
  readonly at: number;
  readonly severity: string;
  readonly labels: Readonly<Record<string, string>> | readonly Readonly<Record<string, string>>[];
  /** Whose runbook it leads to, where no label says it. */
  readonly server?: string;
  readonly summary: string;
  readonly description: string;
}

export type Kind =
  | 'firing'
  | 'not firing'
  | 'resolving'
  | 'quiet: stream down'
  | 'quiet: stream stale'
  | 'quiet: not seeded'
  | 'told: stream down'
  | 'told: stream stale'
  | 'told: not seeded'
  | 'quiet: VPs lost'
  | 'goes on'
  | 'nothing begins'
  | 'sites';

export interface RuleTest {
  readonly alert: string;
  readonly kinds: readonly Kind[];
  readonly name: string;
  readonly minutes: number;
  /** What is unlike the healthy world; `world` instead of both: all of it. */
  readonly changes?: World;
  readonly world?: World;
  readonly checks: readonly Check[];
  /** Expressions and the one value, without labels, that each must have; `undefined`: none. */
  readonly values?: readonly { readonly at: number; readonly expr: string; readonly value: number | undefined }[];
  readonly message?: readonly Message[];
  /** What happens meanwhile (mishaps.ts). */
  readonly mishap?: Mishap;
  /** Rules beside the bundled ones. */
  readonly ruleFiles?: readonly string[];
}

export interface PrefixEvent {
  readonly alert: string;
  readonly severity: 'warning' | 'critical';
  readonly labels?: Readonly<Record<string, string>>;
  readonly event: World;
  /** Minutes after the event's start: not yet; firing. And after its end: still kept; gone. */
  readonly notYet: number;
  readonly fires: number;
  readonly kept: number;
  readonly gone: number;
  /** What fires beside it, and why that is right. */
  readonly beside?: readonly Fired[];
  readonly notFiring: readonly { readonly name: string; readonly changes: World; readonly others?: readonly Fired[] }[];
  readonly summary: string;
  readonly description: string;
  readonly messageAt?: number;
}
