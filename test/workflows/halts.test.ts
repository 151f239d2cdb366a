import { WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { decideUpdate, type DecideInput } from '../../src/workflows/messages.ts';
import { NEW_VERSION, OLD_VERSION, testSetId } from '../support/fleet.ts';
import {
  QUICK,
  journalOf,
  passTimeUntil,
  rolloutWorld,
  startRollout,
  versionsOf,
  type RolloutWorld,
  useTimeSkippingServer,
} from '../support/rollout.ts';

const env = useTimeSkippingServer();

const PHASES = [
  { name: 'canary', regions: ['eastus'] },
  { name: 'broad', regions: ['westus'] },
];

/** One of ten VMs never becomes healthy on the new version: it is restored, and the phase fails at a tolerance of 0 %. */
function oneBadVm() {
  return rolloutWorld(
    env,
    [
      { name: 'front', region: 'eastus', capacity: 10 },
      { name: 'back', region: 'westus', capacity: 5 },
    ],
    { faults: [{ kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'front', instances: ['4'] }] },
  );
}

function decision(kind: DecideInput['decision'], round = 1): DecideInput {
  return { decision: kind, who: 'ada', why: 'tried it', phase: 1, round };
}

const halted = async (world: RolloutWorld, round = 1) => {
  const [rollout] = await world.ledger.rollouts.list();
  const phases = await world.ledger.phases.list(rollout?.id ?? '');
  return rollout?.status === 'Halted' && phases.at(-1)?.round === round;
};

describe('a VM that never becomes healthy', () => {
  it('is restored after 5 minutes (B6), fails its phase (D2), and a person lets the rollout proceed', async () => {
    const world = await oneBadVm();
    const result = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      await passTimeUntil(world, () => halted(world));
      expect(await versionsOf(world, 'back')).toEqual({ [OLD_VERSION]: 5 });
      const answer = await handle.executeUpdate(decideUpdate, { args: [decision('proceed')] });
      expect(answer).toMatchObject({ decision: 'proceed', who: 'ada' });
      return handle.result();
    });
    expect(result.status).toBe('Completed');
    expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 9, [OLD_VERSION]: 1 });
    expect(await versionsOf(world, 'back')).toEqual({ [NEW_VERSION]: 5 });
    const [rollout] = await world.ledger.rollouts.list();
    const lines = (await journalOf(world, rollout?.id ?? '')).filter(
      (line) => line.instanceId === '4' && line.region === 'eastus',
    );
    expect(lines.map((line) => `${line.operation} ${line.event}`)).toEqual([
      'osDisk.swap started',
      'osDisk.swap succeeded',
      'model.apply started',
      'model.apply succeeded',
      'health.wait started',
      'health.wait failed',
      'osDisk.restore started',
      'osDisk.restore succeeded',
    ]);
    const wait = lines.filter((line) => line.operation === 'health.wait');
    expect((wait[1]?.at ?? 0) - (wait[0]?.at ?? 0)).toBe(5 * 60_000);
    expect(lines.at(-1)).toMatchObject({ fromVersion: NEW_VERSION, toVersion: OLD_VERSION });
    expect((await world.ledger.phases.decisions(rollout?.id ?? '')).map((one) => one.decision)).toEqual([
      'proceed',
    ]);
  });

  it('is tried again by a retry, which passes once the fault is gone', async () => {
    const world = await oneBadVm();
    const result = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      await passTimeUntil(world, () => halted(world));
      await world.fleet.setFaults([]);
      await handle.executeUpdate(decideUpdate, { args: [decision('retry')] });
      return handle.result();
    });
    expect(result.status).toBe('Completed');
    expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 10 });
    const attempts = await world.ledger.attempts.listOf({ scaleSetId: testSetId('front') });
    expect(attempts.map((attempt) => [attempt.number, attempt.progress.successfulInstanceCount])).toEqual([
      [2, 1],
      [1, 9],
    ]);
  });

  it('halts again when the retry fails too; abort ends it, and decisions about another round are refused', async () => {
    const world = await oneBadVm();
    const result = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      const early = handle.executeUpdate(decideUpdate, { args: [decision('proceed')] });
      await expect(early).rejects.toThrow(WorkflowUpdateFailedError);
      await passTimeUntil(world, () => halted(world));
      await handle.executeUpdate(decideUpdate, { args: [decision('retry')] });
      await passTimeUntil(world, () => halted(world, 2));
      const stale = handle.executeUpdate(decideUpdate, { args: [decision('proceed', 1)] });
      await expect(stale).rejects.toThrow(WorkflowUpdateFailedError);
      await handle.executeUpdate(decideUpdate, { args: [decision('abort', 2)] });
      return handle.result();
    });
    expect(result).toMatchObject({ status: 'Cancelled', reason: { code: 'Aborted' } });
    expect(await versionsOf(world, 'back')).toEqual({ [OLD_VERSION]: 5 });
  });

  it('stays inside the tolerance where the plan allows it', async () => {
    const world = await oneBadVm();
    const settings = { ...QUICK, failureTolerancePercent: 10 };
    const result = await world.worker.runUntil(async () =>
      (await startRollout(world, { phases: PHASES, settings })).result(),
    );
    expect(result.status).toBe('Completed');
  });
});

describe('a bad image', () => {
  it('stops the set when more than 20 % of the upgraded VMs are unhealthy (B7) and never reaches the next phase', async () => {
    const sets = [
      { name: 'front', region: 'eastus', capacity: 20 },
      { name: 'back', region: 'westus', capacity: 5 },
    ];
    const world = await rolloutWorld(env, sets, {
      faults: [{ kind: 'neverHealthy', version: NEW_VERSION, share: 1 }],
    });
    await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      await passTimeUntil(world, () => halted(world));
      await handle.executeUpdate(decideUpdate, { args: [decision('abort')] });
      return handle.result();
    });
    const [attempt] = await world.ledger.attempts.listOf({ scaleSetId: testSetId('front') });
    expect(attempt).toMatchObject({
      status: 'Faulted',
      reason: { code: 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade' },
      progress: {
        successfulInstanceCount: 0,
        failedInstanceCount: 4,
        inProgressInstanceCount: 0,
        pendingInstanceCount: 16,
      },
    });
    expect(await versionsOf(world, 'front')).toEqual({ [OLD_VERSION]: 20 });
    expect(await versionsOf(world, 'back')).toEqual({ [OLD_VERSION]: 5 });
  });
});
