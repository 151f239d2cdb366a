import { ATTEMPT_KINDS } from '../domain/attempt-kinds.ts';
import { isModelFault } from '../domain/operation.ts';
import { isAbove } from './limits.ts';
import { check, ofAttempt, ofBatch, type BatchCase, type Checked } from './report.ts';
import { endOf, startsOf, type AttemptStory } from './story.ts';

/** What was right or wrong about going on: rules B1, B7, B8 and B11. */
export function checkThresholds(attempts: readonly AttemptStory[]): Checked[] {
  const guarded = attempts.filter((attempt) => ATTEMPT_KINDS[attempt.kind].isGuarded);
  const cases = (from: number, to?: number) =>
    guarded.flatMap((attempt) => attempt.batches.slice(from, to).map((batch) => ({ attempt, batch })));
  const later = cases(1);
  return [
    check(
      'B1',
      'No upgrade begins on a set with too many unhealthy instances.',
      'batch',
      cases(0, 1),
      unhealthySet,
    ),
    check(
      'B7',
      'No batch follows when too many upgraded instances are unhealthy.',
      'batch',
      later,
      afterBreach,
    ),
    check(
      'B8',
      'No further batch begins while too many instances are unhealthy.',
      'batch',
      later,
      unhealthySet,
    ),
    check(
      'B11',
      'Nothing follows an expired credential or a resource that is gone.',
      'attempt',
      attempts,
      afterModelFault,
    ),
  ];
}

function unhealthySet({ attempt, batch }: BatchCase) {
  const { instances, unhealthy } = batch.observed;
  if (instances === undefined || unhealthy === undefined) {
    return ofBatch(attempt, batch, 'nobody looked at the health of the set.');
  }
  const limit = attempt.policy.maxUnhealthyInstancePercent;
  if (!isAbove(unhealthy, instances, limit)) return null;
  return ofBatch(
    attempt,
    batch,
    `began with ${unhealthy} of ${instances} instances unhealthy (limit ${limit}%).`,
  );
}

/** Failures that the journal tells of count, whatever was believed; those of instances deleted since have left the sum. */
function afterBreach({ attempt, batch }: BatchCase) {
  const taken = attempt.lives.filter(({ instanceId }) => isBefore(attempt, instanceId, batch.number));
  const failed = taken.filter((life) => !endOf(life, 'health.wait', 'succeeded')).length;
  const { upgraded = taken.length, upgradedUnhealthy = failed } = batch.observed;
  const deleted = Math.max(0, taken.length - upgraded);
  const bad = Math.max(upgradedUnhealthy, failed - deleted);
  const limit = attempt.policy.maxUnhealthyUpgradedInstancePercent;
  if (!isAbove(bad, upgraded, limit)) return null;
  return ofBatch(attempt, batch, `began after ${bad} of ${upgraded} had failed (limit ${limit}%).`);
}

function isBefore(attempt: AttemptStory, instanceId: string, number: number): boolean {
  const own = attempt.batchOf.get(instanceId);
  return own !== undefined && own.number < number && !own.gone.includes(instanceId);
}

function afterModelFault(attempt: AttemptStory) {
  const hit = attempt.lives.filter((life) => life.entries.some((entry) => isModelFault(entry.error)));
  const [first] = hit;
  if (!first) return null;
  const why = first.entries.find((entry) => isModelFault(entry.error))?.error;
  const batch = attempt.batchOf.get(first.instanceId);
  const next = attempt.batches.find((one) => batch && one.number > batch.number);
  if (next) return ofBatch(attempt, next, `began after ${why}`);
  const restored = hit.find((life) => startsOf(life, 'osDisk.restore').length > 0);
  if (restored) return ofAttempt(attempt, `${restored.instanceId} was restored after ${why}`);
  return attempt.status === 'Completed' ? ofAttempt(attempt, `completed in spite of ${why}`) : null;
}
