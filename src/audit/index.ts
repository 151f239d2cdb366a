import type { JournalEntry } from '../domain/operation.ts';
import { checkBatches } from './batches.ts';
import { checkFleetWide } from './fleet-wide.ts';
import { checkInstances } from './instances.ts';
import type { Checked, Violation } from './report.ts';
import { tellStory } from './story.ts';

export type { Checked, Violation } from './report.ts';

export interface Audit {
  /** In the order of the rules. */
  checks: Checked[];
  violations: Violation[];
  /** What it was made from. */
  counts: {
    lines: number;
    attempts: number;
    running: number;
    takeOvers: number;
    batches: number;
    instances: number;
  };
}

/**
 * Proves the safety rules from the journal alone (rule E4): not what the orchestrator believed, but what was written down
 * when it happened.
 * @param pairs the geo-pairs of the regions, which are the only thing that no journal tells
 */
export function auditJournal(
  entries: readonly JournalEntry[],
  pairs: readonly (readonly [string, string])[],
): Audit {
  const story = tellStory(entries);
  const checks = [...checkBatches(story), ...checkInstances(story), ...checkFleetWide(story, pairs)].toSorted(
    (a, b) => a.rule.localeCompare(b.rule, 'en', { numeric: true }),
  );
  const { attempts } = story;
  const sum = (count: (attempt: (typeof attempts)[number]) => number) =>
    attempts.reduce((total, attempt) => total + count(attempt), 0);
  return {
    checks,
    violations: checks.flatMap((one) => one.violations),
    counts: {
      lines: entries.length,
      attempts: attempts.length,
      running: attempts.filter((attempt) => attempt.end === null).length,
      takeOvers: sum((attempt) => attempt.takeOvers),
      batches: sum((attempt) => attempt.batches.length),
      instances: sum((attempt) => attempt.lives.length),
    },
  };
}
