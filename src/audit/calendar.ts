import type { CalendarRule } from '../domain/calendar.ts';
import type { JournalEntry } from '../domain/operation.ts';
import { check, ofBatch, type BatchCase, type Checked } from './report.ts';
import type { AttemptStory } from './story.ts';
import { isInside } from './window-times.ts';

interface Case extends BatchCase {
  /** The rules that stood when it was recorded, as far as they are about its place. */
  rules: readonly CalendarRule[];
}

/**
 * Rule D10: when automatic batches began. Rules and batches are in the journal in the order in which the database knew them, which is what
 * counts: by their times, a batch and a change of the same moment could not be told apart.
 * @param entries in the order of recording
 */
export function checkCalendar(entries: readonly JournalEntry[], judged: readonly AttemptStory[]): Checked {
  const standing = rulesAtBatches(entries);
  const cases = judged
    .filter(({ startedBy }) => startedBy === 'Platform')
    .flatMap((attempt) =>
      attempt.batches.map((batch) => {
        const rules = standing.get(keyOf(attempt.id, String(batch.number))) ?? [];
        return {
          attempt,
          batch,
          rules: rules.filter((rule) => scopesOf(attempt).includes(lower(rule.scope))),
        };
      }),
    )
    .filter(({ rules }) => rules.some(({ kind }) => kind !== 'override'));
  const promise =
    'Automatic batches begin in their windows and outside of freezes, unless that was overridden.';
  return check('D10', promise, 'batch', cases, outOfTime);
}

function rulesAtBatches(entries: readonly JournalEntry[]): Map<string, readonly CalendarRule[]> {
  const atBatches = new Map<string, readonly CalendarRule[]>();
  let standing: readonly CalendarRule[] = [];
  for (const { operation, event, attemptId, detail, observed } of entries) {
    const rule = observed?.rule;
    if (operation === 'batch' && event === 'started') atBatches.set(keyOf(attemptId, detail), standing);
    else if (rule) {
      const others = standing.filter(({ id }) => id !== rule.id);
      standing = event === 'started' ? [...others, rule] : others;
    }
  }
  return atBatches;
}

const keyOf = (attemptId: string, batch: string | null) => `${attemptId} ${batch}`;
const lower = (text: string) => text.toLowerCase();

/** Where windows count, the narrowest first; then where only overrides do. */
function scopesOf({ scaleSetId, region, rolloutId }: AttemptStory): string[] {
  return [`scale-set:${scaleSetId}`, `region:${region}`, 'all', `rollout:${rolloutId}`].map(lower);
}

function outOfTime({ attempt, batch, rules }: Case) {
  const at = batch.start;
  if (rules.some((rule) => rule.kind === 'override' && at < rule.until)) return null;
  const freeze = rules.find((rule) => rule.kind === 'freeze' && rule.from <= at && at < rule.until);
  if (freeze) return ofBatch(attempt, batch, `began in ${freeze.id} (${freeze.who}: ${freeze.why}).`);
  for (const scope of scopesOf(attempt)) {
    const windows = rules.filter((rule) => rule.kind === 'window' && lower(rule.scope) === scope);
    if (windows.length === 0) continue;
    const isOpen = windows.some((rule) => rule.kind === 'window' && isInside(rule.window, at));
    const named = windows.map(({ id }) => id).join(', ');
    return isOpen ? null : ofBatch(attempt, batch, `began outside of ${named}.`);
  }
  return null;
}
