import type { Instant } from '../domain/clock.ts';
import { destinationOf, type Goal } from '../domain/goal.ts';
import { isNewerVersion } from '../domain/image.ts';
import { isSteadilyHealthy } from '../domain/health.ts';
import { isUntouchable, type Instance, type ScaleSet } from '../domain/scale-set.ts';
import { stopCodes } from '../domain/stop-codes.ts';
import { FleetApiError } from '../fleet/api-error.ts';
import type { PhaseVerdict, Rollout, Target } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';
import { answersForOthers } from './fleet-failures.ts';
import { goalOf } from './goal.ts';
import type { JudgeInput } from './types.ts';

/** How many failed instances a verdict names. */
const FAILURES_NAMED = 50;

/**
 * Eligible VMs that are not healthy on the target failed, untouched ones of stopped sets among them. Skipped
 * sets (also those that were opted out in the middle), VMs that may not be touched (protected, or left to their owner by
 * rule C9), deallocated, superseded and deleted ones leave the sum (rule D2). Those of a set that was given up and still can't
 * be read have failed.
 * @throws FleetApiError of a set that can't be read, and was not asked for long enough to count it as failed
 */
export async function readVerdict(
  deps: ActivityDependencies,
  rollout: Rollout,
  { phase, countsUnreadable = false }: JudgeInput,
  at: Instant,
): Promise<PhaseVerdict> {
  const verdict: PhaseVerdict = { eligible: 0, succeeded: 0, failed: 0, failures: [] };
  const targets = await deps.ledger.targets.list({ rolloutId: rollout.id, phase });
  for (const target of targets) {
    if (target.status === 'skipped' || target.reason?.code === stopCodes.superseded) continue;
    try {
      await judgeSet(deps, rollout, target, at, verdict);
    } catch (error) {
      if (!(error instanceof FleetApiError) || error.scaleSetId === null) throw error;
      const isGivenUp = countsUnreadable || target.reason?.code === stopCodes.unreachable;
      // In an outage nobody is judged.
      if (!isGivenUp || !(await answersForOthers(deps.fleet, target.scaleSetId))) throw error;
      const size = await sizeOf(deps, target);
      verdict.eligible += size;
      fail(
        verdict,
        size,
        `${target.scaleSetName}: its VMs can't be read. ${error.message.replace(/\.$/, '')}`,
      );
    }
  }
  return verdict;
}

async function judgeSet(
  deps: ActivityDependencies,
  rollout: Rollout,
  target: Target,
  at: Instant,
  verdict: PhaseVerdict,
): Promise<void> {
  const scaleSet = await deps.fleet.scaleSet(target.scaleSetId);
  if (!scaleSet) return;
  const [goal, instances] = await Promise.all([
    goalOf(deps, rollout, scaleSet, at),
    deps.fleet.instances(target.scaleSetId, at),
  ]);
  for (const instance of instances) {
    if (isUntouchable(scaleSet, instance) || instance.powerState === 'deallocated') continue;
    if (isSuperseded(rollout, instance)) continue;
    verdict.eligible++;
    const steady = isSteadilyHealthy(instance, rollout.settings.healthyReadings);
    const problem = problemOf(goal, scaleSet, instance, steady);
    if (problem === null) verdict.succeeded++;
    else fail(verdict, 1, `${target.scaleSetName}/${instance.instanceId}: ${problem}`);
  }
}

function fail(verdict: PhaseVerdict, count: number, failure: string): void {
  verdict.failed += count;
  if (verdict.failures.length < FAILURES_NAMED) verdict.failures.push(failure);
}

/** How many VMs a set has that can't be read: as many as its attempt was about; one, where nothing is known. */
async function sizeOf({ ledger }: ActivityDependencies, { attemptId }: Target): Promise<number> {
  const attempt = attemptId === null ? null : await ledger.attempts.get(attemptId);
  const counts = Object.values(attempt?.progress ?? {}) as number[];
  return Math.max(
    1,
    counts.reduce((sum, count) => sum + count, 0),
  );
}

/** A later version of the image has come there meanwhile. */
function isSuperseded({ action, target }: Rollout, { osDisk }: Instance): boolean {
  return action === 'osUpgrade' && osDisk !== null && isNewerVersion(osDisk.source, target);
}

function problemOf(goal: Goal, scaleSet: ScaleSet, instance: Instance, steady: boolean): string | null {
  const { osDisk, instanceId } = instance;
  if (osDisk === null) return 'has no OS disk';
  if (goal.quarantined.has(instanceId)) return 'is in quarantine: its restore failed';
  if (destinationOf(goal, scaleSet, instance) !== null) return `runs ${osDisk.source.version}`;
  return steady ? null : `is not healthy on ${osDisk.source.version}`;
}
