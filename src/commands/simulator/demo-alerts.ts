/** Which of the bundled alerts an event of the demo fires, and when, for a user who watches Prometheus beside it. */
import type { StepKind } from '../../simulator/scenario/scenario.ts';
import type { StepReport } from '../../simulator/scenario/steps.ts';

const MINUTE_MS = 60_000;

/** Scrapes and evaluations, every 15 s each in the stack, come on top of the time that an alert waits. */
const LATE_MS = 45_000;

/** From so many losses and regains of the average VP on the rules speak of flapping. */
const MANY_FLAPS = 3;

export interface StepAlert {
  /** As the bundled rules call it. */
  readonly alert: string;
  /** How long its condition must hold, ms: the rule's `for`. */
  readonly forMs: number;
}

/** Alerts by the kind of step; other steps fire none. */
const ALERTS: Partial<Readonly<Record<StepKind, StepAlert>>> = {
  outage: { alert: 'BGPPrefixNotVisible', forMs: 2 * MINUTE_MS },
  hijack: { alert: 'BGPPrefixUnexpectedOrigin', forMs: MINUTE_MS },
  subprefix_hijack: { alert: 'BGPPrefixMoreSpecificAnnounced', forMs: 2 * MINUTE_MS },
  upstream_change: { alert: 'BGPPrefixUnexpectedUpstream', forMs: 5 * MINUTE_MS },
  prepend: { alert: 'BGPPrefixPathLengthened', forMs: 10 * MINUTE_MS },
  flap: { alert: 'BGPPrefixFlapping', forMs: MINUTE_MS },
};

/** What validated data of the RPKI adds: nobody but the holder has a ROA. */
const INVALID: Partial<Readonly<Record<StepKind, StepAlert>>> = {
  hijack: { alert: 'BGPPrefixRpkiInvalidForeign', forMs: 2 * MINUTE_MS },
  subprefix_hijack: { alert: 'BGPPrefixMoreSpecificRpkiInvalid', forMs: 2 * MINUTE_MS },
};

/** A fall to less than half: some of the VPs still see the prefix, so it is not the outage of all. */
const PARTIAL_OUTAGE: StepAlert = { alert: 'BGPPrefixVisibilityDrop', forMs: 2 * MINUTE_MS };

/** How long an alert is kept after its condition went away: the rules' `keep_firing_for`. */
export const KEPT_MS = 5 * MINUTE_MS;

/**
 * The alerts that a step fires when it lasts as planned; empty when it is too short for any.
 * @param speed times real time
 * @param isValidated whether the exporter judges by validated data of the RPKI
 */
export function stepAlerts(report: StepReport, speed: number, isValidated = false): readonly StepAlert[] {
  const { kind, vpsAfter } = report;
  const alert = kind === 'outage' && vpsAfter > 0 ? PARTIAL_OUTAGE : ALERTS[kind];
  const invalid = isValidated ? INVALID[kind] : undefined;
  return [alert, invalid].filter((one) => one !== undefined).filter((one) => isLongEnough(report, one, speed));
}

function isLongEnough({ kind, lastsMs, flaps }: StepReport, { forMs }: StepAlert, speed: number): boolean {
  // Flaps count for half an hour, whatever comes after them.
  return kind === 'flap' ? (flaps ?? 0) > MANY_FLAPS : (lastsMs ?? Number.POSITIVE_INFINITY) / speed >= forMs + LATE_MS;
}

/** What the bundled alerts will do about an event, in words; undefined when nothing. */
export function alertLine(report: StepReport, speed: number, isValidated = false): string | undefined {
  if (report.kind === 'recovery') return undefined;
  const alerts = stepAlerts(report, speed, isValidated);
  if (alerts.length === 0) return undefined;
  // Flaps are told when they are over: their alert has waited since one of them.
  if (report.kind === 'flap') {
    const texts = alerts.map(({ alert, forMs }) => `${alert} fires within about ${minutes(forMs)}`);
    return `alerts: ${texts.join(', ')}, and is over half an hour later`;
  }
  const texts = alerts.map(({ alert, forMs }) => `${alert} will fire in about ${minutes(forMs)}`);
  return `alerts: ${texts.join(', ')}, and be over about ${minutes(KEPT_MS)} after the event`;
}

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

function minutes(ms: number): string {
  const count = Math.round(ms / MINUTE_MS);
  return `${NUMBERS[count] ?? count} minute${count === 1 ? '' : 's'}`;
}
