import type { Instant } from '../../domain/clock.ts';
import type { ScaleSet } from '../../domain/scale-set.ts';
import type { Attempt, AttemptStatus, InstanceOutcome, Reason, TargetStatus } from '../../ledger/port.ts';
import type { RehearsalContext } from './context.ts';

/** How a scale set came out of a rehearsal. */
export interface SetResult {
  scaleSetId: string;
  name: string;
  region: string;
  /** Null when nothing was to be done with it. */
  status: TargetStatus | null;
  /** Why it was stopped or skipped. */
  reason: Reason | null;
  instances: number;
  /** Instances by what became of them in the last OS upgrade that took them. */
  upgraded: number;
  restored: number;
  /** Failed, and left as they were. */
  failed: number;
  /** Failed, and so did their restore. */
  quarantined: number;
  /** How many instances run which version in the end. */
  versions: Record<string, number>;
}

const STATUS: Record<AttemptStatus, TargetStatus> = {
  RollingForward: 'upgrading',
  Completed: 'upgraded',
  Faulted: 'stopped',
  Cancelled: 'stopped',
};

/** The results of sets, without those that the rehearsal had nothing to do with. @param since when it began */
export async function resultsOf(
  context: RehearsalContext,
  scaleSets: readonly ScaleSet[],
  since: Instant,
): Promise<SetResult[]> {
  const results: SetResult[] = [];
  for (const scaleSet of scaleSets) {
    const result = await resultOf(context, scaleSet, since);
    if (result.status !== null || context.scenario.fleet !== null) results.push(result);
  }
  return results;
}

async function resultOf(context: RehearsalContext, scaleSet: ScaleSet, since: Instant): Promise<SetResult> {
  const { fleet, ledger, rehearsal } = context;
  const { id: scaleSetId, name, region } = scaleSet;
  const newestFirst = (await ledger.attempts.listOf({ scaleSetId, kinds: ['osUpgrade'] })).filter(
    ({ endedAt }) => endedAt === null || endedAt >= since,
  );
  const outcomes = await outcomesOf(context, newestFirst);
  const count = (wanted: InstanceOutcome) => outcomes.filter((outcome) => outcome === wanted).length;
  const instances = await fleet.instances(scaleSetId, rehearsal.now);
  const versions: Record<string, number> = {};
  for (const { osDisk } of instances) {
    const version = osDisk?.source.version ?? 'none';
    versions[version] = (versions[version] ?? 0) + 1;
  }
  return {
    ...{ scaleSetId, name, region },
    ...(await endOf(context, scaleSetId, newestFirst[0])),
    instances: instances.length,
    upgraded: count('upgraded'),
    restored: count('restored'),
    failed: count('left'),
    quarantined: (await ledger.quarantine.list({ scaleSetId })).length,
    versions,
  };
}

/** What became of each instance, by its last attempt. */
async function outcomesOf(
  { ledger }: RehearsalContext,
  newestFirst: readonly Attempt[],
): Promise<(InstanceOutcome | null)[]> {
  const last = new Map<string, InstanceOutcome | null>();
  for (const { id } of newestFirst.toReversed()) {
    for (const { instanceId, outcome } of await ledger.attempts.instances(id)) last.set(instanceId, outcome);
  }
  return [...last.values()];
}

/** As the rollout has it, unless a person's upgrade of the set came after. */
async function endOf(
  { ledger, rolloutId }: RehearsalContext,
  scaleSetId: string,
  last: Attempt | undefined,
): Promise<Pick<SetResult, 'status' | 'reason'>> {
  const target = rolloutId === null ? null : await ledger.targets.get(rolloutId, scaleSetId);
  if (target !== null && (last === undefined || last.rolloutId === rolloutId)) {
    return { status: target.status, reason: target.reason };
  }
  if (last === undefined) return { status: null, reason: null };
  return { status: STATUS[last.status], reason: last.reason };
}
