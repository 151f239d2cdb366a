import type { Instant } from '../domain/clock.ts';
import type { AttemptStory, BatchStory, Life } from './story.ts';

export interface Violation {
  /** `B2` */
  rule: string;
  at: Instant | null;
  scaleSetId: string | null;
  instanceId: string | null;
  attemptId: string | null;
  message: string;
}

/** What a check goes through, one after the other. */
export type Unit = 'attempt' | 'batch' | 'VM' | 'scale set' | 'geo-pair' | 'update';

/** What one check looked at, and what it found. */
export interface Checked {
  rule: string;
  /** What holds, in a sentence. */
  promise: string;
  unit: Unit;
  /** How many cases it looked at: of none, it proves nothing. */
  cases: number;
  violations: Violation[];
}

/** A batch with its attempt. */
export interface BatchCase {
  attempt: AttemptStory;
  batch: BatchStory;
}

/** What a check finds of one case: null if all is well. */
type Finding = Partial<Omit<Violation, 'rule'>> & { message: string };

/** Goes through cases; what it finds of one is a violation of the rule. */
export function check<T>(
  rule: string,
  promise: string,
  unit: Unit,
  cases: readonly T[],
  find: (item: T) => Finding | null,
): Checked {
  const violations = cases
    .map(find)
    .filter((finding) => finding !== null)
    .map((finding) => ({ rule, at: null, scaleSetId: null, instanceId: null, attemptId: null, ...finding }));
  return { rule, promise, unit, cases: cases.length, violations };
}

export function ofAttempt({ id, scaleSetId, start }: AttemptStory, message: string): Finding {
  return { at: start, scaleSetId, attemptId: id, message };
}

export function ofBatch({ id, scaleSetId }: AttemptStory, batch: BatchStory, message: string): Finding {
  return { at: batch.start, scaleSetId, attemptId: id, message: `Batch ${batch.number}: ${message}` };
}

export function ofLife(life: Life, at: Instant | null, message: string): Finding {
  const { scaleSetId, instanceId, attemptId } = life;
  return { at, scaleSetId, instanceId, attemptId, message };
}
