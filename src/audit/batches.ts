import { ATTEMPT_KINDS } from '../domain/attempt-kinds.ts';
import { batchSize } from '../domain/batching.ts';
import { exceedsPercent } from '../domain/health.ts';
import { isModelFault } from '../domain/operation.ts';
import { check, ofAttempt, ofBatch, type Checked } from './report.ts';
import {
  endOf,
  failureOf,
  firstOverlap,
  flightsOf,
  startsOf,
  type AttemptStory,
  type BatchStory,
  type Flight,
  type Life,
  type Story,
} from './story.ts';

/** What was right or wrong about when batches were begun and what they took (rules B1 to B3, B7 to B11). */
export function checkBatches({ attempts }: Story): Checked[] {
  const rolling = attempts.filter((attempt) => ATTEMPT_KINDS[attempt.kind].rolls);
  const guarded = attempts.filter((attempt) => ATTEMPT_KINDS[attempt.kind].isGuarded);
  const first = guarded.flatMap((attempt) =>
    attempt.batches.slice(0, 1).map((batch) => ({ attempt, batch })),
  );
  const later = guarded.flatMap((attempt) => attempt.batches.slice(1).map((batch) => ({ attempt, batch })));
  const all = rolling.flatMap((attempt) => attempt.batches.map((batch) => ({ attempt, batch })));
  return [
    check('B1', 'No upgrade began on a set of which too many instances were unhealthy.', first, unhealthySet),
    check('B2', 'No batch, and nothing at any moment, was larger than its share of the set.', all, tooLarge),
    check('B2', 'Instances out of service never exceeded the batch limit.', rolling, tooManyAtOnce),
    check('B3', 'Instances out of service were in one update domain.', rolling, twoUpdateDomains),
    check(
      'B3',
      'Instances out of service were in one zone, unless the policy spans them.',
      rolling,
      twoZones,
    ),
    check('B3', 'One batch at a time.', rolling, twoBatches),
    check('B7', 'No batch followed when too many upgraded instances were unhealthy.', later, afterBreach),
    check('B8', 'No further batch began while too many instances were unhealthy.', later, unhealthySet),
    check('B9', 'The pause between batches was kept.', later, pauseCutShort),
    check('B10', 'No instance was swapped that ran the target already.', attempts, needlessSwap),
    check(
      'B11',
      'Nothing followed a credential that expired or a resource that was gone.',
      attempts,
      afterModelFault,
    ),
    check('E4', 'Every instance of a batch that ended has an outcome.', all, countsThatDoNotAddUp),
  ];
}

interface Case {
  attempt: AttemptStory;
  batch: BatchStory;
}

function unhealthySet({ attempt, batch }: Case) {
  const { instances, unhealthy } = batch.observed;
  if (instances === undefined || unhealthy === undefined) {
    return ofBatch(attempt, batch, 'nobody looked at the health of the set.');
  }
  const limit = attempt.policy.maxUnhealthyInstancePercent;
  if (!exceedsPercent(unhealthy, instances, limit)) return null;
  return ofBatch(
    attempt,
    batch,
    `began with ${unhealthy} of ${instances} instances unhealthy (limit ${limit}%).`,
  );
}

/** By the size that the fleet itself counted when disks were swapped; instances may have come or gone since the decision. */
function tooLarge({ attempt, batch }: Case) {
  const { members = [], instances = 0 } = batch.observed;
  const limit = Math.max(batchSize(instances, attempt.policy), limitAtSwaps(attempt, members));
  if (members.length <= limit) return null;
  return ofBatch(attempt, batch, `took ${members.length} of ${instances} instances, ${limit} may be.`);
}

function limitAtSwaps(attempt: AttemptStory, members: readonly string[]): number {
  const sizes = attempt.lives
    .filter((life) => members.includes(life.instanceId))
    .flatMap((life) => startsOf(life, 'osDisk.swap').map((swap) => swap.observed?.instances ?? 0));
  return batchSize(Math.max(0, ...sizes), attempt.policy);
}

function tooManyAtOnce(attempt: AttemptStory) {
  const flights = flightsOf(attempt);
  const limit = limitAtSwaps(
    attempt,
    flights.map((flight) => flight.life.instanceId),
  );
  const most = peak(flights);
  return most <= limit ? null : ofAttempt(attempt, `${most} instances at once, ${limit} may be.`);
}

/** The most flights at the same time; one that begins when another ends is not at the same time. */
function peak(flights: readonly Flight[]): number {
  const moments = flights
    .filter(({ start, end }) => end > start)
    .flatMap(({ start, end }) => [
      { at: start, change: 1 },
      { at: end, change: -1 },
    ])
    .toSorted((a, b) => a.at - b.at || a.change - b.change);
  let now = 0;
  let most = 0;
  for (const { change } of moments) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}

function twoUpdateDomains(attempt: AttemptStory) {
  const found = firstOverlap(flightsOf(attempt), ({ life }) => String(life.updateDomain));
  return found && ofAttempt(attempt, `${namesOf(found)} were upgraded in two update domains at once.`);
}

function twoZones(attempt: AttemptStory) {
  if (attempt.policy.enableCrossZoneUpgrade) return null;
  const found = firstOverlap(flightsOf(attempt), ({ life }) => String(life.zone));
  return found && ofAttempt(attempt, `${namesOf(found)} were upgraded in two zones at once.`);
}

function namesOf([a, b]: [Flight, Flight]): string {
  return `${a.life.instanceId} and ${b.life.instanceId}`;
}

function twoBatches(attempt: AttemptStory) {
  for (const [i, batch] of attempt.batches.entries()) {
    const before = attempt.batches[i - 1];
    if (before && (before.end === null || batch.start < before.end)) {
      return ofBatch(attempt, batch, `began before batch ${before.number} had ended.`);
    }
  }
  return null;
}

function afterBreach({ attempt, batch }: Case) {
  const before = attempt.lives.filter((life) => isOfEarlierBatch(attempt, batch, life));
  const bad = before.filter((life) => !endOf(life, 'health.wait', 'succeeded'));
  const limit = attempt.policy.maxUnhealthyUpgradedInstancePercent;
  // Instances that were deleted since have left the sum: with them gone it may have been right to go on.
  const gone = before.length - bad.length;
  if (!exceedsPercent(bad.length, before.length, limit) || gone < 0) return null;
  if (bad.some((life) => wasDeleted(life))) return null;
  return ofBatch(
    attempt,
    batch,
    `began after ${bad.length} of ${before.length} had failed (limit ${limit}%).`,
  );
}

function isOfEarlierBatch(attempt: AttemptStory, batch: BatchStory, life: Life): boolean {
  return attempt.batches.some(
    (one) => one.number < batch.number && (one.observed.members ?? []).includes(life.instanceId),
  );
}

/** Of an instance that was deleted, operations that were begun have no end. */
function wasDeleted(life: Life): boolean {
  return (
    !life.entries.some((entry) => entry.operation === 'health.wait' && entry.event !== 'started') &&
    !failureOf(life)
  );
}

function pauseCutShort({ attempt, batch }: Case) {
  const before = attempt.batches.find((one) => one.number === batch.number - 1);
  const pause = attempt.policy.pauseTimeBetweenBatches;
  if (!before?.end || batch.start >= before.end + pause) return null;
  return ofBatch(
    attempt,
    batch,
    `began ${batch.start - before.end} ms after the one before, ${pause} ms is the pause.`,
  );
}

function needlessSwap(attempt: AttemptStory) {
  if (attempt.kind !== 'osUpgrade') return null;
  const swap = attempt.lives
    .flatMap((life) => startsOf(life, 'osDisk.swap'))
    .find((entry) => entry.fromVersion === entry.toVersion);
  return swap ? ofAttempt(attempt, `${swap.instanceId} ran ${swap.toVersion} already.`) : null;
}

function afterModelFault(attempt: AttemptStory) {
  const fault = attempt.lives.flatMap((life) => life.entries).find((entry) => isModelFault(entry.error));
  if (!fault) return null;
  const restore = attempt.lives.flatMap((life) => startsOf(life, 'osDisk.restore'));
  const hit = new Set(
    attempt.lives.filter((life) => life.entries.some((e) => isModelFault(e.error))).map((l) => l.instanceId),
  );
  const batchOfFault = attempt.batches.find((b) => (b.observed.members ?? []).includes(fault.instanceId));
  const next = attempt.batches.find((b) => batchOfFault && b.number > batchOfFault.number);
  if (next) return ofBatch(attempt, next, `began after ${fault.error}`);
  const restored = restore.find((entry) => hit.has(entry.instanceId));
  if (restored) return ofAttempt(attempt, `${restored.instanceId} was restored after ${fault.error}`);
  return attempt.status === 'Completed' ? ofAttempt(attempt, `completed in spite of ${fault.error}`) : null;
}

function countsThatDoNotAddUp({ attempt, batch }: Case) {
  if (batch.outcomes === null) return null;
  const sum = Object.values(batch.outcomes).reduce((a, b) => a + b, 0);
  const members = batch.observed.members?.length ?? 0;
  return sum === members ? null : ofBatch(attempt, batch, `${members} members and ${sum} outcomes.`);
}
