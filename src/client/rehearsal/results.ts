import type { AttemptKind } from '../../domain/attempt-kinds.ts';
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
  /** Instances that are there in the end, by what became of them. */
  upgraded: number;
  restored: number;
  /** Failed, and left as they were. */
  failed: number;
  /** Failed, and so did their restore. */
  quarantined: number;
  /** Taken back to what they ran before. */
  reverted: number;
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
  const newestFirst = (await ledger.attempts.listOf({ scaleSetId })).filter(
    ({ endedAt }) => endedAt === null || endedAt >= since,
  );
  const instances = await fleet.instances(scaleSetId, rehearsal.now);
  const fates = await fatesOf(context, newestFirst.toReversed());
  const count = (wanted: Fate) => instances.filter((one) => fates.get(one.instanceId) === wanted).length;
  const versions: Record<string, number> = {};
  for (const { osDisk } of instances) {
    const version = osDisk?.source.version ?? 'none';
    versions[version] = (versions[version] ?? 0) + 1;
  }
  return {
    ...{ scaleSetId, name, region },
    ...(await endOf(
      context,
      scaleSetId,
      newestFirst.find(({ kind }) => kind === 'osUpgrade'),
    )),
    instances: instances.length,
    upgraded: count('upgraded'),
    restored: count('restored'),
    failed: count('left'),
    quarantined: (await ledger.quarantine.list({ scaleSetId })).length,
    reverted: count('reverted'),
    versions,
  };
}

type Fate = InstanceOutcome | 'reverted';

/** What became of each instance in the end: an OS upgrade, and whatever mended it or took it back afterwards. */
async function fatesOf(
  { ledger }: RehearsalContext,
  oldestFirst: readonly Attempt[],
): Promise<Map<string, Fate>> {
  const fates = new Map<string, Fate>();
  for (const { id, kind } of oldestFirst) {
    for (const { instanceId, outcome } of await ledger.attempts.instances(id)) {
      const fate = outcome === null ? null : fateAfter(fates.get(instanceId), kind, outcome);
      if (fate) fates.set(instanceId, fate);
    }
  }
  return fates;
}

/** @param before what had become of the instance until then */
function fateAfter(before: Fate | undefined, kind: AttemptKind, outcome: InstanceOutcome): Fate | undefined {
  if (kind === 'osUpgrade') return outcome;
  if (kind === 'revert') return outcome === 'upgraded' ? 'reverted' : outcome;
  if (outcome !== 'upgraded') return before;
  // Mended: with a kept disk it is where it was before, with a working extension it is on the new version.
  return before === 'restoreFailed' ? 'restored' : before === 'left' ? 'upgraded' : before;
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
