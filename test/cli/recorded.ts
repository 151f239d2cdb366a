import type { ImageVersion } from '../../src/domain/image.ts';
import { DEFAULT_ROLLING_POLICY, DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import type { Attempt, AttemptInstance, Reason, Rollout } from '../../src/ledger/port.ts';
import { manualRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { EPOCH, JAMMY, OLD_VERSION, TARGET } from '../support/fleet.ts';
import type { TestRollouts } from './support.ts';

export interface RecordedAttempt {
  kind?: Attempt['kind'];
  startedBy?: Attempt['startedBy'];
  /** What its rollout is, beyond a manual one by ann. */
  rollout?: Partial<Rollout>;
  target?: ImageVersion;
  /** Of a batch with these instances; none is recorded without. */
  outcomes?: Record<string, AttemptInstance['outcome']>;
  error?: string;
  warnings?: Attempt['warnings'];
  status?: 'Completed' | 'Faulted' | 'Cancelled';
  reason?: Reason | null;
  isOpen?: boolean;
  at?: number;
  endedAt?: number;
}

/** Records an attempt on a set with its rollout, as if its workflow had run. The fleet is left as it is. */
export async function recordAttempt(
  { ledger }: Pick<TestRollouts, 'ledger'>,
  scaleSetId: string,
  given: RecordedAttempt = {},
): Promise<Attempt> {
  const { kind = 'osUpgrade', target = TARGET, at = EPOCH, outcomes = {}, error = null } = given;
  const generation = (await ledger.attempts.listOf({ scaleSetId })).length + 1;
  const rollout = await ledger.rollouts.create({
    id: manualRolloutId(scaleSetId, generation),
    kind: 'manual',
    action: kind,
    target,
    generation,
    phases: [],
    settings: DEFAULT_SETTINGS,
    startedBy: 'ann',
    startedAt: at,
    ...given.rollout,
  });
  const { attempt } = await ledger.attempts.open(
    {
      scaleSetId,
      rolloutId: rollout.id,
      kind,
      region: 'eastus',
      workflowId: scaleSetRolloutId(scaleSetId),
      runId: `run-${generation}`,
      startedBy: given.startedBy ?? 'User',
      target,
      policy: DEFAULT_ROLLING_POLICY,
      restoresOnFailure: given.startedBy === 'Platform',
      warnings: given.warnings ?? [],
      healthTimeout: DEFAULT_SETTINGS.healthTimeout,
      at,
    },
    async () => false,
  );
  const ended = Object.entries(outcomes);
  const failed = ended.filter(([, outcome]) => outcome !== 'upgraded').length;
  const progress = {
    successfulInstanceCount: ended.length - failed,
    failedInstanceCount: failed,
    inProgressInstanceCount: 0,
    pendingInstanceCount: 0,
  };
  if (ended.length > 0) {
    const observed = {
      instances: ended.length,
      unhealthy: 0,
      upgraded: 0,
      upgradedUnhealthy: 0,
      pending: {},
    };
    const from = { image: JAMMY, version: OLD_VERSION };
    await ledger.attempts.openBatch(
      attempt,
      { number: 1, zone: null, updateDomain: 0, observed, startedAt: at },
      ended.map(([instanceId]) => ({ instanceId, zone: null, updateDomain: 0, from, wasHealthy: true })),
      progress,
    );
    const results = ended.flatMap(([instanceId, outcome]) =>
      outcome === null ? [] : [{ instanceId, outcome, error: outcome === 'upgraded' ? null : error }],
    );
    if (results.length > 0) await ledger.attempts.closeBatch(attempt, 1, results, at);
  }
  if (given.isOpen) return attempt;
  const { status = 'Completed', reason = null, endedAt = at + 1_000 } = given;
  await ledger.attempts.close(attempt, status, reason, progress, endedAt);
  await ledger.rollouts.setStatus(rollout.id, status, endedAt, reason);
  return { ...attempt, status, reason, progress, endedAt };
}
