import { expect } from 'vitest';
import { auditJournal } from '../../../src/audit/index.ts';
import { virtualAt } from '../../../src/domain/clock.ts';
import { geoPairs } from '../../../src/domain/region.ts';
import type { RecordedEntry } from '../../../src/ledger/port.ts';
import type { SurvivalWorld } from './world.ts';

/** How a rollout came out, without anything that depends on when what happened. */
export interface Outcome {
  rollouts: string[];
  phases: unknown[];
  attempts: unknown[];
  /** `web/3 22.04.202512050` */
  disks: string[];
  /** Everything that was done to VMs: `web/3 osDisk.swap succeeded 22.04.202512050`. */
  operations: string[];
}

/** For the report. */
export interface Counts {
  swaps: number;
  restores: number;
  takeOvers: number;
}

/**
 * What holds after every death: the journal keeps every safety rule, no VM was swapped twice in an attempt, each has an OS
 * disk, nobody acts or holds anything any more, and all is as if nobody had died.
 * @param undisturbed what the same rollout comes to without a death
 */
export async function expectSurvived(
  world: SurvivalWorld,
  undisturbed: Outcome | null,
): Promise<{ outcome: Outcome; counts: Counts }> {
  const { ledger, fleet } = world;
  const journal = await ledger.journal.read({});
  const audit = auditJournal(journal, geoPairs(await fleet.regions()));
  expect(audit.violations).toEqual([]);
  expect(audit.open).toEqual([]);
  expect(swappedTwice(journal)).toEqual([]);
  expect(await ledger.attempts.listOpen()).toEqual([]);
  expect(await ledger.claims.list()).toEqual([]);
  const outcome = await outcomeOf(world, journal);
  expect(outcome.disks.filter((disk) => disk.endsWith('none'))).toEqual([]);
  if (undisturbed) expect(outcome).toEqual(undisturbed);
  const swaps = journal.filter((line) => isStart(line, 'osDisk.swap')).length;
  const restores = journal.filter((line) => isStart(line, 'osDisk.restore')).length;
  return { outcome, counts: { swaps, restores, takeOvers: audit.counts.takeOvers } };
}

const isStart = ({ operation, event }: RecordedEntry, of: string) => operation === of && event === 'started';

function swappedTwice(journal: readonly RecordedEntry[]): string[] {
  const swaps = journal
    .filter((line) => isStart(line, 'osDisk.swap'))
    .map(({ attemptId, scaleSetId, instanceId }) => `${attemptId} ${nameOf(scaleSetId)}/${instanceId}`);
  return swaps.filter((swap, i) => swaps.indexOf(swap) !== i);
}

async function outcomeOf(
  { fleet, ledger, clock }: SurvivalWorld,
  journal: readonly RecordedEntry[],
): Promise<Outcome> {
  const rollouts = await ledger.rollouts.list();
  const phases = await Promise.all(rollouts.map(({ id }) => ledger.phases.list(id)));
  const attempts = await ledger.attempts.listOf({});
  const at = virtualAt(clock, Date.now());
  const disks = await Promise.all(
    (await fleet.scaleSets()).map(async ({ id }) =>
      (await fleet.instances(id, at)).map(
        ({ instanceId, osDisk }) => `${nameOf(id)}/${instanceId} ${osDisk?.source.version ?? 'none'}`,
      ),
    ),
  );
  return {
    rollouts: rollouts.map(({ status, reason }) => `${status} ${reason?.code ?? ''}`),
    phases: phases
      .flat()
      .map(({ phase, verdict }) => ({ phase, failed: verdict?.failed, eligible: verdict?.eligible })),
    attempts: attempts
      .map(({ scaleSetId, status, reason, progress }) => ({
        set: nameOf(scaleSetId),
        status,
        reason: reason?.code ?? null,
        progress,
      }))
      .toSorted((a, b) => a.set.localeCompare(b.set)),
    disks: disks.flat().toSorted(),
    operations: journal
      .filter((line) => /^(osDisk|model|extension)/.test(line.operation))
      .map(
        ({ scaleSetId, instanceId, operation, event, toVersion }) =>
          `${nameOf(scaleSetId)}/${instanceId} ${operation} ${event} ${toVersion}`,
      )
      .toSorted(),
  };
}

function nameOf(scaleSetId: string): string {
  return scaleSetId.split('/').at(-1) ?? scaleSetId;
}
