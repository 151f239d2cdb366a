import { WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { rolloutScope } from '../../src/domain/scopes.ts';
import { decideUpdate, statusQuery, type DecideInput } from '../../src/workflows/messages.ts';
import { NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';
import {
  QUICK,
  passTimeUntil,
  rolloutWorld,
  startRollout,
  versionsOf,
  type RolloutWorld,
  useTimeSkippingServer,
} from '../support/rollout.ts';

const env = useTimeSkippingServer();

const PHASES = [
  { name: 'canary', regions: ['eastus'], bakeTime: 7 * MINUTE },
  { name: 'broad', regions: ['westus'], approval: true },
];

const sets = () =>
  rolloutWorld(env, [
    { name: 'front', region: 'eastus', capacity: 2 },
    { name: 'back', region: 'westus', capacity: 3 },
  ]);

const decision = (kind: DecideInput['decision'], phase = 2, round = 0): DecideInput => ({
  ...{ decision: kind, who: 'ada', why: 'it ran well', phase, round },
});

async function waiting({ ledger }: RolloutWorld): Promise<boolean> {
  const [rollout] = await ledger.rollouts.list();
  return rollout?.status === 'Halted' && rollout.reason?.code === 'ApprovalNeeded';
}

describe('a phase that needs an approval (D2)', () => {
  it('begins once a person has given it, who is recorded; nothing else is a decision there', async () => {
    const world = await sets();
    const result = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      await passTimeUntil(world, () => waiting(world));
      expect(await handle.query(statusQuery)).toMatchObject({ waitingFor: { what: 'approval of phase 2' } });
      for (const refused of [decision('retry'), decision('proceed', 1, 1), decision('proceed', 2, 1)]) {
        const update = handle.executeUpdate(decideUpdate, { args: [refused] });
        await expect(update).rejects.toThrow(WorkflowUpdateFailedError);
      }
      expect(await versionsOf(world, 'back')).toEqual({ [OLD_VERSION]: 3 });
      await handle.executeUpdate(decideUpdate, { args: [decision('proceed')] });
      return handle.result();
    });
    expect(result).toMatchObject({ status: 'Completed', phasesDone: 2 });
    expect(await versionsOf(world, 'back')).toEqual({ [NEW_VERSION]: 3 });
    const [rollout] = await world.ledger.rollouts.list();
    const { id = '' } = rollout ?? {};
    expect(await world.ledger.phases.decisions(id)).toMatchObject([
      { phase: 2, round: 0, decision: 'proceed', who: 'ada', why: 'it ran well' },
    ]);
    const [canary, broad] = await world.ledger.phases.list(id);
    expect((canary?.bakeUntil ?? 0) - (canary?.bakingSince ?? 0)).toBe(7 * MINUTE);
    expect((broad?.bakeUntil ?? 0) - (broad?.bakingSince ?? 0)).toBe(QUICK.bakeTime);
  });

  it('never begins after an abort, which wins over an approval; nor after a cancel', async () => {
    for (const [end, code] of [
      ['abort', 'Aborted'],
      ['cancel', 'Cancelled'],
    ] as const) {
      const world = await sets();
      const result = await world.worker.runUntil(async () => {
        const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
        await passTimeUntil(world, () => waiting(world));
        if (end === 'cancel') {
          const order = { scope: rolloutScope(handle.workflowId), state: 'cancelled' as const };
          await world.ledger.orders.set({ ...order, who: 'bob', why: 'not today', at: 1 });
          await handle.signal('lookAgain');
        } else {
          const both = [decision('proceed'), decision('abort')];
          await Promise.all(both.map((one) => handle.executeUpdate(decideUpdate, { args: [one] })));
        }
        return handle.result();
      });
      expect(result).toMatchObject({ status: 'Cancelled', reason: { code }, phasesDone: 1 });
      expect(await versionsOf(world, 'back')).toEqual({ [OLD_VERSION]: 3 });
    }
  });
});
