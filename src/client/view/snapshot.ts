import type { Client } from '@temporalio/client';
import { virtualAt, wallAt } from '../../domain/clock.ts';
import { imageLabel } from '../../domain/image.ts';
import { scaleSetKey } from '../../domain/scale-set.ts';
import type { Fleet } from '../../fleet/port.ts';
import { NotRecordedError } from '../../ledger/errors.ts';
import type { Attempt, Ledger, Rollout, Target } from '../../ledger/port.ts';
import { addInstances, sumSets } from './counts.ts';
import { phaseViews, type AttemptDetails, type ViewInput } from './phase-views.ts';
import { temporalProbe } from './probes.ts';
import type { RolloutSnapshot } from './types.ts';
import { holdsOf, phaseWaits, rolloutWaits } from './waits.ts';

/** Where a snapshot comes from. With a client it also says whether the rollout's workflow still runs, and which regions no worker serves. */
export interface SnapshotSources {
  fleet: Pick<Fleet, 'clock' | 'scaleSet'>;
  ledger: Pick<Ledger, 'rollouts' | 'phases' | 'targets' | 'attempts' | 'claims' | 'orders' | 'calendar'>;
  client?: Client;
}

/** Reads snapshots of one rollout, again and again: what cannot change any more is read once. */
export type SnapshotReader = () => Promise<RolloutSnapshot>;

/**
 * Everything that a person wants to see of one rollout now, as plain JSON. It costs a handful of queries and two for
 * every scale set that is being upgraded, whatever the number of instances.
 * @throws NotRecordedError when there is no such rollout
 */
export function readSnapshot(sources: SnapshotSources, rolloutId: string): Promise<RolloutSnapshot> {
  return snapshotReader(sources, rolloutId)();
}

/** A reader for whoever looks often: it remembers the details of attempts that have ended. */
export function snapshotReader(sources: SnapshotSources, rolloutId: string): SnapshotReader {
  const seen = new Map<string, SeenAttempt>();
  const probe = temporalProbe(sources.client);
  return async () => {
    const rollout = await sources.ledger.rollouts.get(rolloutId);
    if (!rollout) throw new NotRecordedError(`No rollout "${rolloutId}" is recorded.`);
    const clock = await sources.fleet.clock();
    const wall = Date.now();
    const now = virtualAt(clock, wall);
    const [input, workflowOpen] = await Promise.all([
      readLedger(sources, rollout, now, seen),
      probe.isWorkflowOpen(rollout),
    ]);
    const phases = await probe.withUnserved(rollout, phaseViews(input));
    const end = rollout.endedAt ?? now;
    const current = input.records.at(-1);
    return {
      rolloutId: rollout.id,
      kind: rollout.kind,
      action: rollout.action,
      image: imageLabel(rollout.target.image),
      version: rollout.target.version,
      status: rollout.status,
      reason: rollout.reason,
      startedBy: rollout.startedBy,
      why: rollout.why,
      now,
      speed: clock.speed,
      startedAt: rollout.startedAt,
      endedAt: rollout.endedAt,
      elapsed: end - rollout.startedAt,
      elapsedWallMs: wallAt(clock, end) - wallAt(clock, rollout.startedAt),
      waits: [
        ...rolloutWaits(input.holds, input.records),
        ...(current && rollout.status === 'Running' ? phaseWaits(input.holds, current) : []),
      ],
      phases,
      scaleSets: sumSets(phases.map((phase) => phase.scaleSets)),
      instances: addInstances(phases.map((phase) => phase.instances)),
      workflowOpen,
    };
  };
}

async function readLedger(
  { ledger, fleet }: SnapshotSources,
  rollout: Rollout,
  now: number,
  seen: Map<string, SeenAttempt>,
): Promise<ViewInput> {
  const [records, recorded, attempts, claims, orders, { rules }] = await Promise.all([
    ledger.phases.list(rollout.id),
    ledger.targets.list({ rolloutId: rollout.id }),
    ledger.attempts.listOf({ rolloutId: rollout.id }),
    ledger.claims.list(),
    ledger.orders.list(),
    ledger.calendar.read(),
  ]);
  const oldestFirst = attempts.toSorted((a, b) => a.number - b.number);
  return {
    holds: holdsOf(rollout, now, orders, claims, rules),
    records,
    targets: rollout.kind === 'manual' ? await manualTargets(fleet, oldestFirst) : recorded,
    attempts: bySet(oldestFirst),
    details: await readDetails(ledger, attempts, seen),
  };
}

/** A manual rollout has no targets (rule D8): its attempts show what it concerns. */
async function manualTargets(
  fleet: SnapshotSources['fleet'],
  attempts: readonly Attempt[],
): Promise<Target[]> {
  return Promise.all(
    attempts.map(async (attempt) => {
      const scaleSet = await fleet.scaleSet(attempt.scaleSetId);
      return {
        rolloutId: attempt.rolloutId,
        scaleSetId: attempt.scaleSetId,
        scaleSetName: scaleSet?.name ?? attempt.scaleSetId,
        region: scaleSet?.region ?? 'unknown',
        phase: 1,
        round: 1,
        status: manualStatus(attempt),
        seenAt: attempt.startedAt,
        triggerAt: attempt.startedAt,
        attemptId: attempt.id,
        reason: attempt.reason,
      };
    }),
  );
}

function manualStatus({ status }: Attempt): Target['status'] {
  if (status === 'RollingForward') return 'upgrading';
  return status === 'Completed' ? 'upgraded' : 'stopped';
}

/** Details of an attempt as they were read last; those of an ended attempt stay as they are. */
type SeenAttempt = AttemptDetails & { final: boolean };

/**
 * Details of the attempts that are open, did not go smoothly, or were open when this reader looked before: reading those
 * of thousands of attempts that just went well would tell nobody anything.
 */
async function readDetails(
  { attempts: stored }: SnapshotSources['ledger'],
  attempts: readonly Attempt[],
  seen: Map<string, SeenAttempt>,
): Promise<ReadonlyMap<string, AttemptDetails>> {
  const read = async (attempt: Attempt) => {
    const batches = await stored.batches(attempt.id);
    const instances = await stored.instances(attempt.id);
    seen.set(attempt.id, { batches, instances, final: attempt.status !== 'RollingForward' });
  };
  const smooth = ({ status, progress }: Attempt) =>
    status === 'Completed' && progress.failedInstanceCount === 0;
  const due = attempts.filter((attempt) => {
    const before = seen.get(attempt.id);
    return before ? !before.final : !smooth(attempt);
  });
  await Promise.all(due.map(read));
  return seen;
}

function bySet(attempts: readonly Attempt[]): Map<string, Attempt[]> {
  const groups = new Map<string, Attempt[]>();
  for (const attempt of attempts) {
    const key = scaleSetKey(attempt.scaleSetId);
    const group = groups.get(key);
    if (group) group.push(attempt);
    else groups.set(key, [attempt]);
  }
  return groups;
}
