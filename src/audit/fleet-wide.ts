import { isoTime } from '../domain/clock.ts';
import { check, ofAttempt, type Checked } from './report.ts';
import { firstOverlap, flightsOf, groupBy, type AttemptStory, type Flight, type Story } from './story.ts';

/** What was right or wrong between attempts (rules B12, D1, D4). */
export function checkFleetWide(
  { attempts }: Story,
  pairs: readonly (readonly [string, string])[],
): Checked[] {
  const sets = [...groupBy(attempts, (attempt) => attempt.scaleSetId.toLowerCase()).values()];
  const turns = attempts.filter((one) => one.startedBy === 'Platform' || one.kind === 'revert');
  const updates = [...groupBy(turns, updateOf).values()];
  const automatic = attempts.filter((one) => one.startedBy === 'Platform');
  return [
    check('B12', 'No scale set had two attempts at a time.', sets, twoAttempts),
    check('D1', 'No two regions of a pair had VMs upgrading at the same time.', pairs, ([a, b]) =>
      bothOfPair(automatic, a, b),
    ),
    check(
      'D4',
      'No two zones of a region had VMs upgrading at the same time by one update.',
      updates,
      zonesAtOnce,
    ),
  ];
}

/** Zones take turns within one update: a version, or the revert of a rollout. */
function updateOf(attempt: AttemptStory): string {
  const what = attempt.kind === 'revert' ? `revert ${attempt.rolloutId}` : attempt.toVersion;
  return `${attempt.region} ${what}`;
}

function twoAttempts(ofSet: readonly AttemptStory[]) {
  const inOrder = ofSet.toSorted((a, b) => a.start - b.start);
  for (const [i, attempt] of inOrder.entries()) {
    const before = inOrder[i - 1];
    if (before && (before.end === null || attempt.start < before.end)) {
      return ofAttempt(attempt, `began before attempt ${before.id} had ended.`);
    }
  }
  return null;
}

function bothOfPair(attempts: readonly AttemptStory[], a: string, b: string) {
  const flights = attempts.filter(({ region }) => region === a || region === b).flatMap(flightsOf);
  const found = firstOverlap(flights, ({ attempt }) => attempt.region);
  return found && ofAttempt(found[1].attempt, `${a} and ${b} at once at ${isoTime(found[1].start)}.`);
}

/** A set that may span zones counts as a zone of its own, which nobody else is in. */
function zonesAtOnce(attempts: readonly AttemptStory[]) {
  const zonal = attempts.flatMap(flightsOf).filter(({ life }) => life.zone !== null);
  const found = firstOverlap(zonal, zoneOf);
  if (!found) return null;
  const [a, b] = found.map(
    ({ life }) => `${life.scaleSetId.split('/').at(-1)}/${life.instanceId} (zone ${life.zone})`,
  );
  return ofAttempt(found[1].attempt, `${a} and ${b} at once at ${isoTime(found[1].start)}.`);
}

function zoneOf({ attempt, life }: Flight): string {
  return attempt.policy.enableCrossZoneUpgrade ? attempt.scaleSetId.toLowerCase() : String(life.zone);
}
