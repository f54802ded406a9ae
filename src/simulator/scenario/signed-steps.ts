/** Steps about what is signed: the ROAs of a prefix, and the ASPAs of who announces it. No route changes by them. */
import type { Internet } from '../internet/internet.ts';
import { lengthOf, roasOf } from '../internet/signed/roas.ts';
import type { SimulatedPrefix } from '../internet/simulated-prefix.ts';
import type { StepNow } from './scenario.ts';
import type { StepPlan } from './step-plan.ts';

export type SignedStep = Extract<StepNow, { do: 'roa' | 'roa_loss' | 'aspa' | 'aspa_loss' }>;

export interface SignedStepContext {
  readonly internet: Internet;
  readonly prefix: SimulatedPrefix;
  /** How many VPs hold a path to the prefix that fits. */
  readonly count: (fits: (path: readonly number[]) => boolean) => number;
  /** What is signed has changed. */
  readonly signedChanged: () => void;
}

export function isSigned(step: StepNow): step is SignedStep {
  return step.do === 'roa' || step.do === 'roa_loss' || step.do === 'aspa' || step.do === 'aspa_loss';
}

export function signedPlan(step: SignedStep, context: SignedStepContext): StepPlan {
  switch (step.do) {
    case 'roa':
    case 'roa_loss':
      return roaPlan(step, context);
    case 'aspa':
    case 'aspa_loss':
      return aspaPlan(step, context);
  }
}

function roaPlan(
  step: Extract<SignedStep, { do: 'roa' | 'roa_loss' }>,
  { internet, prefix, count, signedChanged }: SignedStepContext,
): StepPlan {
  const signed = roasOf(prefix, internet.graph);
  const length = lengthOf(prefix.text);
  const isNew = step.do === 'roa';
  return {
    text: `${isNew ? 'a ROA' : 'no ROA any more'} for ${prefix.text}${step.by === undefined ? '' : ` and AS${step.by}`}`,
    counted: `have an origin that a ROA for ${prefix.text} names`,
    count: () => {
      const asns = new Set(roasOf(prefix, internet.graph).map(({ asn }) => asn));
      return count((path) => asns.has(path.at(-1) ?? 0));
    },
    lastsMs: 0,
    run: () => {
      if (isNew) prefix.roas = [...signed, { asn: step.by, maxLength: step.max_length ?? length }];
      else prefix.roas = signed.filter(({ asn }) => step.by !== undefined && asn !== step.by);
      signedChanged();
    },
  };
}

function aspaPlan(
  step: Extract<SignedStep, { do: 'aspa' | 'aspa_loss' }>,
  { internet, prefix, count, signedChanged }: SignedStepContext,
): StepPlan {
  const customers = step.by === undefined ? prefix.usual.map(({ node }) => internet.graph.nodes[node].asn) : [step.by];
  const providers = step.do === 'aspa' ? step.providers : undefined;
  const who = customers.map(asText).join(' and ');
  return {
    text:
      providers === undefined
        ? `no ASPA of ${who} any more`
        : `an ASPA of ${who} names ${providers.map(asText).join(', ')}`,
    counted: `reach ${prefix.text} over a provider that an ASPA of ${who} names`,
    count: () => {
      const aspas = new Map(internet.aspas().map((aspa) => [aspa.customer, aspa.providers]));
      return count((path) =>
        path.some((asn, i) => customers.includes(asn) && aspas.get(asn)?.includes(path[i - 1] ?? -1) === true),
      );
    },
    lastsMs: 0,
    run: () => {
      for (const customer of customers) prefix.aspas.set(customer, providers);
      signedChanged();
    },
  };
}

function asText(asn: number): string {
  return `AS${asn}`;
}
