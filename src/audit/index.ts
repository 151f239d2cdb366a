import type { Instant } from '../domain/clock.ts';
import type { JournalEntry } from '../domain/operation.ts';
import { checkBatches } from './batches.ts';
import { checkCalendar } from './calendar.ts';
import { checkFleetWide } from './fleet-wide.ts';
import { checkInstances } from './instances.ts';
import type { Checked, Violation } from './report.ts';
import { tellStory, type AttemptStory } from './story.ts';
import { checkThresholds } from './thresholds.ts';

export type { Checked, Unit, Violation } from './report.ts';

export interface Audit {
  /** In the order of the rules. */
  checks: Checked[];
  violations: Violation[];
  /** Attempts that have not ended: judged as far as they went. */
  open: OpenAttempt[];
  /** What it was made from. */
  counts: {
    lines: number;
    /** Lines of attempts of which the journal does not tell the beginning: they are not judged. */
    leftOut: number;
    attempts: number;
    takeOvers: number;
    batches: number;
    instances: number;
  };
}

export interface OpenAttempt {
  attemptId: string;
  scaleSetId: string;
  since: Instant;
  /** The batch under way, or null between two. */
  batch: number | null;
}

/**
 * Proves the safety rules from the journal alone (rule E4): not what the orchestrator believed, but what was written down
 * when it happened.
 * @param entries in the order of recording
 * @param pairs the geo-pairs of the regions, which are the only thing that no journal tells
 * @param rolloutId judges only this rollout; the others are what it may clash with. All, if absent
 */
export function auditJournal(
  entries: readonly JournalEntry[],
  pairs: readonly (readonly [string, string])[],
  rolloutId?: string,
): Audit {
  const story = tellStory(entries);
  const key = rolloutId?.toLowerCase();
  const isJudged = (attempt: AttemptStory) => key === undefined || attempt.rolloutId.toLowerCase() === key;
  const judged = story.attempts.filter(isJudged);
  const checks = [
    ...checkThresholds(judged),
    ...checkBatches(judged),
    ...checkInstances(judged),
    ...checkFleetWide(story, pairs, isJudged),
    checkCalendar(entries, judged),
  ].toSorted((a, b) => a.rule.localeCompare(b.rule, 'en', { numeric: true }));
  const sum = (count: (attempt: AttemptStory) => number) =>
    judged.reduce((total, attempt) => total + count(attempt), 0);
  return {
    checks,
    violations: checks.flatMap((one) => one.violations),
    open: judged.filter(({ end }) => end === null).map(openAttempt),
    counts: {
      lines: entries.length,
      leftOut: story.leftOut,
      attempts: judged.length,
      takeOvers: sum((attempt) => attempt.takeOvers),
      batches: sum((attempt) => attempt.batches.length),
      instances: sum((attempt) => attempt.lives.length),
    },
  };
}

function openAttempt({ id, scaleSetId, start, batches }: AttemptStory): OpenAttempt {
  const batch = batches.find(({ end }) => end === null)?.number ?? null;
  return { attemptId: id, scaleSetId, since: start, batch };
}
