import { isoTime } from '../domain/clock.ts';
import { overBudget } from './budget.ts';
import { firstOverlap, flightsOf, type Flight } from './flights.ts';
import { check, ofAttempt, type Checked } from './report.ts';
import { groupBy, type AttemptStory, type Story } from './story.ts';

type Judged = (attempt: AttemptStory) => boolean;

/**
 * What was right or wrong between attempts (rules B2, B12, D1, D4).
 * @param isJudged which attempts are to be judged: the others are only what they may clash with
 */
export function checkFleetWide(
  { attempts }: Story,
  pairs: readonly (readonly [string, string])[],
  isJudged: Judged,
): Checked[] {
  const groupsOf = (some: readonly AttemptStory[], key: (attempt: AttemptStory) => string) =>
    [...groupBy(some, key).values()].filter((group) => group.some(isJudged));
  const sets = groupsOf(attempts, (attempt) => attempt.scaleSetId.toLowerCase());
  const updates = groupsOf(
    attempts.filter((one) => one.startedBy === 'Platform' || one.kind === 'revert'),
    updateOf,
  );
  const automatic = attempts.filter((one) => one.startedBy === 'Platform' && one.imageKind === 'platform');
  const judgedRegions = new Set(automatic.filter(isJudged).map(({ region }) => region));
  const itsPairs = pairs.filter((pair) => pair.some((region) => judgedRegions.has(region)));
  return [
    check('B2', 'All that is done to a set shares the budget of one batch.', 'scale set', sets, (ofSet) =>
      overBudget(ofSet, isJudged),
    ),
    check('B12', 'A scale set has one attempt at a time.', 'scale set', sets, (ofSet) =>
      twoAttempts(ofSet, isJudged),
    ),
    check('D1', 'The regions of a geo-pair never upgrade at the same time.', 'geo-pair', itsPairs, (pair) =>
      bothOfPair(automatic, pair, isJudged),
    ),
    check(
      'D4',
      "A region's zones never upgrade at the same time by one update.",
      'update',
      updates,
      (update) => zonesAtOnce(update, isJudged),
    ),
  ];
}

/** Zones take turns within one update: a version of an image, or the revert of a rollout. */
function updateOf({ kind, rolloutId, image, toVersion, region }: AttemptStory): string {
  const what = kind === 'revert' ? `revert ${rolloutId}` : `${image} ${toVersion}`;
  return `${region} ${what}`;
}

function twoAttempts(ofSet: readonly AttemptStory[], isJudged: Judged) {
  const inOrder = ofSet.toSorted((a, b) => a.start - b.start);
  for (const [i, attempt] of inOrder.entries()) {
    const before = inOrder[i - 1];
    if (!before || !(isJudged(attempt) || isJudged(before))) continue;
    if (before.end === null || attempt.start < before.end) {
      return ofAttempt(attempt, `began before attempt ${before.id} had ended.`);
    }
  }
  return null;
}

function bothOfPair(attempts: readonly AttemptStory[], [a, b]: readonly [string, string], isJudged: Judged) {
  const flights = attempts.filter(({ region }) => region === a || region === b).flatMap(flightsOf);
  const found = firstOverlap(flights, ({ attempt }) => attempt.region, judgedOf(isJudged));
  return found && ofFlights(found, ({ attempt }) => attempt.region);
}

/** A set that may span zones counts as a zone of its own, which nobody else is in. */
function zonesAtOnce(attempts: readonly AttemptStory[], isJudged: Judged) {
  const zonal = attempts.flatMap(flightsOf).filter(({ life }) => life.zone !== null);
  const found = firstOverlap(zonal, zoneOf, judgedOf(isJudged));
  return found && ofFlights(found, ({ life }) => `zone ${life.zone}`);
}

function zoneOf({ attempt, life }: Flight): string {
  return attempt.policy.enableCrossZoneUpgrade ? attempt.scaleSetId.toLowerCase() : String(life.zone);
}

function judgedOf(isJudged: Judged): (a: Flight, b: Flight) => boolean {
  return (a, b) => isJudged(a.attempt) || isJudged(b.attempt);
}

function ofFlights(found: [Flight, Flight], place: (flight: Flight) => string) {
  const [a, b] = found.map(
    (flight) => `${flight.life.scaleSetId.split('/').at(-1)}/${flight.life.instanceId} (${place(flight)})`,
  );
  const { attempt, start, life } = found[1];
  const message = `${a} and ${b} at once at ${isoTime(start)}.`;
  return { ...ofAttempt(attempt, message), at: start, instanceId: life.instanceId };
}
