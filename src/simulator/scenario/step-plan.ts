/** What a step does, and which VPs it counts before and after. */
export interface StepPlan {
  readonly text: string;
  readonly counted: string;
  readonly count: () => number;
  readonly run: () => void;
  /** From the beginning until all VPs know. */
  readonly lastsMs: number;
}
