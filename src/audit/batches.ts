import { ATTEMPT_KINDS } from '../domain/attempt-kinds.ts';
import { ALONE } from '../domain/claims.ts';
import { placeKey } from '../domain/operation.ts';
import { firstOverlap, flightsOf, peak, type Flight } from './flights.ts';
import { mostAtOnce } from './limits.ts';
import { check, ofAttempt, ofBatch, type BatchCase, type Checked } from './report.ts';
import { startsOf, type AttemptStory, type BatchStory } from './story.ts';

/** What was right or wrong about what batches took, and in which order (rules B2, B3, B9, E4). */
export function checkBatches(attempts: readonly AttemptStory[]): Checked[] {
  const rolling = attempts.filter((attempt) => ATTEMPT_KINDS[attempt.kind].rolls);
  const all = attempts.flatMap((attempt) => attempt.batches.map((batch) => ({ attempt, batch })));
  const ofRolling = all.filter(({ attempt }) => ATTEMPT_KINDS[attempt.kind].rolls);
  const next = ofRolling.flatMap(followers);
  return [
    check('B2', 'No batch is larger than its share of the set.', 'batch', ofRolling, tooLarge),
    check('B2', 'No more instances are out of service at any moment.', 'attempt', rolling, tooManyAtOnce),
    check(
      'B3',
      'Instances out of service are in one zone.',
      'attempt',
      rolling.filter(isZoneBound),
      twoZones,
    ),
    check('B3', 'Instances out of service are in one update domain.', 'attempt', rolling, twoUpdateDomains),
    check('B3', 'One batch at a time.', 'batch', next, beforeTheLastEnded),
    check(
      'B3',
      'A zone, and in it an update domain, is finished before the next.',
      'batch',
      next,
      unfinishedPlace,
    ),
    check('B9', 'The pause between batches is kept.', 'batch', next, pauseCutShort),
    check('E4', 'Every instance of a batch that ended has an outcome.', 'batch', all, countsThatDoNotAddUp),
  ];
}

interface Following extends BatchCase {
  before: BatchStory;
}

function followers({ attempt, batch }: BatchCase): Following[] {
  const before = attempt.batches[attempt.batches.indexOf(batch) - 1];
  return before ? [{ attempt, batch, before }] : [];
}

/** By the size that the fleet itself counted when disks were swapped; instances may have come or gone since the decision. */
function tooLarge({ attempt, batch }: BatchCase) {
  const { members = [], instances = 0 } = batch.observed;
  const limit = Math.max(mostAtOnce(instances, attempt.policy), limitAtSwaps(attempt, members));
  if (members.length <= limit) return null;
  return ofBatch(attempt, batch, `took ${members.length} of ${instances} instances, ${limit} may be.`);
}

function limitAtSwaps(attempt: AttemptStory, members: readonly string[]): number {
  const wanted = new Set(members);
  const sizes = attempt.lives
    .filter((life) => wanted.has(life.instanceId))
    .flatMap((life) => startsOf(life, 'osDisk.swap').map((swap) => swap.observed?.instances ?? 0));
  return mostAtOnce(Math.max(0, ...sizes), attempt.policy);
}

/** How many instances an attempt may have out of service at once: one that does not roll takes all of a batch, however many. */
export function budgetOf(attempt: AttemptStory): number {
  const { batches, lives, policy, kind } = attempt;
  if (!ATTEMPT_KINDS[kind].rolls)
    return Math.max(0, ...batches.map(({ observed }) => observed.members?.length ?? 0));
  const members = lives.map((life) => life.instanceId);
  const seen = Math.max(0, ...batches.map((batch) => batch.observed.instances ?? 0));
  return Math.max(limitAtSwaps(attempt, members), mostAtOnce(seen, policy));
}

function tooManyAtOnce(attempt: AttemptStory) {
  const limit = budgetOf(attempt);
  const most = peak(flightsOf(attempt));
  return most <= limit ? null : ofAttempt(attempt, `${most} instances at once, ${limit} may be.`);
}

function isZoneBound({ policy }: AttemptStory): boolean {
  return !policy.enableCrossZoneUpgrade;
}

function twoZones(attempt: AttemptStory) {
  const found = firstOverlap(flightsOf(attempt), ({ life }) => String(life.zone));
  return found && ofAttempt(attempt, `${namesOf(found)} were upgraded in two zones at once.`);
}

function twoUpdateDomains(attempt: AttemptStory) {
  const found = firstOverlap(flightsOf(attempt), ({ life }) => String(life.updateDomain));
  return found && ofAttempt(attempt, `${namesOf(found)} were upgraded in two update domains at once.`);
}

function namesOf([a, b]: [Flight, Flight]): string {
  return `${a.life.instanceId} and ${b.life.instanceId}`;
}

function beforeTheLastEnded({ attempt, batch, before }: Following) {
  if (before.end !== null && batch.start >= before.end) return null;
  return ofBatch(attempt, batch, `began before batch ${before.number} had ended.`);
}

/** Instances without a zone are in nobody's way and may come at any time. */
function unfinishedPlace({ attempt, batch, before }: Following) {
  const pending = Object.entries(batch.observed.pending ?? {});
  const left = (of: (place: string) => boolean) =>
    pending.filter(([place]) => of(place)).reduce((sum, [, count]) => sum + count, 0);
  if (batch.zone !== before.zone) {
    const inZone = left((place) => place.startsWith(`${before.zone}/`));
    if (before.zone === null || batch.zone === null || before.zone === ALONE || inZone === 0) return null;
    return ofBatch(
      attempt,
      batch,
      `began in zone ${batch.zone}, ${inZone} were left in zone ${before.zone}.`,
    );
  }
  if (batch.updateDomain === before.updateDomain) return null;
  const there =
    batch.zone === ALONE
      ? left((place) => place.endsWith(`/${before.updateDomain}`))
      : left((place) => place === placeKey(before));
  if (there === 0) return null;
  return ofBatch(attempt, batch, `${there} were left in update domain ${before.updateDomain}.`);
}

function pauseCutShort({ attempt, batch, before }: Following) {
  const pause = attempt.policy.pauseTimeBetweenBatches;
  if (before.end === null || batch.start >= before.end + pause) return null;
  const after = batch.start - before.end;
  return ofBatch(attempt, batch, `began ${after} ms after the one before, ${pause} ms is the pause.`);
}

function countsThatDoNotAddUp({ attempt, batch }: BatchCase) {
  if (batch.outcomes === null) return null;
  const sum = Object.values(batch.outcomes).reduce((a, b) => a + b, 0);
  const members = batch.observed.members?.length ?? 0;
  return sum === members ? null : ofBatch(attempt, batch, `${members} members and ${sum} outcomes.`);
}
