import { budgetOf } from './batches.ts';
import { absencesOf, type Flight } from './flights.ts';
import { ofAttempt } from './report.ts';
import type { AttemptStory } from './story.ts';

/**
 * Rule B2 over all that is done to one set, whatever kinds follow each other: what one attempt has begun and nobody has ended counts
 * while the next is under way. At the first moment at which more are out of service than any of the attempts allows.
 */
export function overBudget(ofSet: readonly AttemptStory[], isJudged: (attempt: AttemptStory) => boolean) {
  let open: Flight[] = [];
  for (const flight of takenUp(ofSet.flatMap(absencesOf))) {
    open = [...open.filter((other) => other.end > flight.start), flight];
    const out = new Set(open.map(({ life }) => life.instanceId)).size;
    const attempts = [...new Set(open.map(({ attempt }) => attempt))];
    const limit = Math.max(...attempts.map(budgetOf));
    if (out <= limit || !attempts.some(isJudged)) continue;
    const by = attempts.map(({ id }) => id).join(' and ');
    const message = `${out} instances out of service at once by ${by}, ${limit} may be.`;
    return { ...ofAttempt(flight.attempt, message), at: flight.start };
  }
  return null;
}

/** In the order in which they begin; what was left half done ends when a later attempt has brought that instance to an end. */
function takenUp(flights: readonly Flight[]): Flight[] {
  const real = flights.filter(({ start, end }) => end > start).toSorted((a, b) => a.start - b.start);
  return real.map((flight) => {
    if (flight.end < Infinity) return flight;
    const later = real.filter(
      ({ life, start }) => life.instanceId === flight.life.instanceId && start > flight.start,
    );
    return { ...flight, end: Math.min(Infinity, ...later.map(({ end }) => end)) };
  });
}
