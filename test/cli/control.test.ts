import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decide, giveOrder, startRollout, startScaleSet } from '../../src/client/index.ts';
import { ALL, phaseScope, regionScope, rolloutScope, scaleSetScope } from '../../src/domain/scopes.ts';
import { imageRolloutId, phaseRolloutId, regionRolloutId } from '../../src/workflows/ids.ts';
import { EPOCH, TARGET, testSetId } from '../support/fleet.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

let space: Workspace;
let rollouts: TestRollouts;
const id = imageRolloutId(TARGET, 1);
const why = 'incident 4711';

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space);
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });

/** A rollout whose second phase runs. */
async function running() {
  await startRollout(rollouts, { image: IMAGE });
  for (const phase of [1, 2]) {
    const regions = (await rollouts.ledger.rollouts.get(id))?.phases[phase - 1]?.regions ?? [];
    await rollouts.ledger.phases.open({ rolloutId: id, phase, round: 1, at: EPOCH, target: TARGET, regions });
  }
  const verdict = { eligible: 5, succeeded: 5, failed: 0, failures: [] };
  await rollouts.ledger.phases.judge({ rolloutId: id, phase: 1, round: 1 }, verdict, EPOCH);
}

describe('orders', () => {
  it.each([
    [[id], rolloutScope(id)],
    [['rollout/canonical'], rolloutScope(id)],
    [[id, '--phase', '2'], phaseScope(id, 2)],
    [[id, '--region', 'East US'], regionScope(id, 'eastus')],
    [[regionRolloutId(phaseRolloutId(id, 2, 1), 'eastus')], regionScope(id, 'eastus')],
    [['--scale-set', 'web'], scaleSetScope(testSetId('web'))],
    [['--all'], ALL],
  ])('pause %j', async (args, scope) => {
    await running();
    const { code, stdout } = await command('pause', ...args, '--why', why, '--who', 'ann', '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ order: { scope, state: 'paused', who: 'ann', why } });
    expect(await rollouts.ledger.orders.inForce([scope])).toMatchObject({ state: 'paused', who: 'ann', why });
  });

  it('wakes the rollout, the phase under way and its regions', async () => {
    await running();
    const { woken } = await giveOrder(rollouts, { scope: { kind: 'all' }, state: 'paused', why });
    const phase = phaseRolloutId(id, 2, 1);
    expect(woken).toEqual([id, phase, regionRolloutId(phase, 'eastus')]);
    expect(rollouts.temporalServer.signalled).toEqual(woken);
  });

  it('wakes only the region that it is for', async () => {
    await running();
    const scope = { kind: 'region', rolloutId: id, region: 'eastus' } as const;
    const { woken } = await giveOrder(rollouts, { scope, state: 'paused', why });
    const phase = phaseRolloutId(id, 2, 1);
    expect(woken).toEqual([phase, regionRolloutId(phase, 'eastus')]);
  });

  it('stand when Temporal cannot be reached', async () => {
    await running();
    rollouts.temporalServer.reachable = false;
    const { code, stdout } = await command('pause', id, '--why', why);
    expect(code).toBe(0);
    expect(stdout).toContain('takes effect at the next look');
    expect(await rollouts.ledger.orders.inForce([rolloutScope(id)])).toMatchObject({ state: 'paused' });
  });

  it('say that a wider order still holds', async () => {
    await running();
    await command('pause', '--all', '--why', 'change freeze', '--who', 'bob');
    const { stdout } = await command('resume', id, '--why', 'done');
    expect(stdout).toMatch(/bob paused everything .*change freeze.*still holds/);
  });

  it('mark a rollout cancelled that has no workflow any more', async () => {
    await running();
    rollouts.temporalServer.workflows.clear();
    const { stdout } = await command('cancel', id, '--why', why);
    expect(stdout).toContain('is marked cancelled');
    expect(await rollouts.ledger.rollouts.get(id)).toMatchObject({ status: 'Cancelled' });
  });

  it('cannot take a cancel of a rollout back', async () => {
    await running();
    await command('cancel', id, '--why', why);
    expect(await command('resume', id, '--why', 'oops')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('What has ended stays so') as string,
    });
  });

  it.each(['pause', 'resume', 'cancel'])('%s refuses a rollout that has ended', async (verb) => {
    await running();
    await rollouts.ledger.rollouts.setStatus(id, 'Completed', EPOCH, null);
    expect(await command(verb, id, '--why', why)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`There is nothing to ${verb}`) as string,
    });
  });

  it('refuse phases and regions that the rollout does not have', async () => {
    await running();
    expect(await command('pause', id, '--phase', '9', '--why', why)).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('has no phase 9: give 1 to 3') as string,
    });
    expect(await command('pause', id, '--region', 'mars', '--why', why)).toMatchObject({ code: 64 });
  });

  it('cancel a manual upgrade by its own id', async () => {
    const { rolloutId, workflowId } = await startScaleSet(rollouts, { scaleSet: 'web' });
    const { code } = await command('cancel', rolloutId, '--why', why);
    expect(code).toBe(0);
    expect(rollouts.temporalServer.signalled).toEqual([workflowId]);
  });
});

describe('decide', () => {
  const request = { rolloutId: id, decision: 'proceed', why, who: 'ann' } as const;

  async function halted() {
    await running();
    await rollouts.ledger.phases.judge(
      { rolloutId: id, phase: 2, round: 1 },
      { eligible: 9, succeeded: 8, failed: 1, failures: ['web/3: is not healthy'] },
      EPOCH,
    );
    await rollouts.ledger.rollouts.setStatus(id, 'Halted', EPOCH, null);
  }

  it('is about the phase and round that the rollout halted in', async () => {
    await halted();
    rollouts.temporalServer.onUpdate = (input) => ({ ...(input as object), rolloutId: id, at: EPOCH });
    const { code, stdout } = await command('decide', 'rollout/canon', 'proceed', '--why', why, '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      decision: 'proceed',
      phase: 2,
      round: 1,
      why,
      at: '2026-01-05T10:00:00.000Z',
    });
  });

  it('approves the phase that comes next, where the rollout waits for that (D2)', async () => {
    await running();
    const { ledger } = rollouts;
    const verdict = { eligible: 9, succeeded: 9, failed: 0, failures: [] };
    await ledger.phases.judge({ rolloutId: id, phase: 2, round: 1 }, verdict, EPOCH);
    await ledger.rollouts.setStatus(id, 'Halted', EPOCH, {
      code: 'ApprovalNeeded',
      message: 'Phase 3 waits.',
    });
    rollouts.temporalServer.onUpdate = (input) => ({ ...(input as object), rolloutId: id, at: EPOCH });
    expect(await decide(rollouts, request)).toMatchObject({ decision: 'proceed', phase: 3, round: 0 });
    const { stdout } = await command('decide', id, 'abort', '--why', why);
    expect(stdout).toMatch(/^Decided on approval of phase 3: abort, by .*: .*\.\nThe rollout ends\.\n$/);
    await expect(decide(rollouts, { ...request, decision: 'retry' })).rejects.toMatchObject({
      code: 'Usage',
      message: expect.stringContaining('nothing to try again: proceed approves it') as string,
    });
  });

  it('is refused unless the rollout is halted', async () => {
    await running();
    await expect(decide(rollouts, request)).rejects.toMatchObject({ code: 'NotHalted', exitCode: 1 });
    await rollouts.ledger.rollouts.setStatus(id, 'Completed', EPOCH, null);
    await expect(decide(rollouts, request)).rejects.toMatchObject({ code: 'Closed' });
  });

  it('tells what the workflow refused', async () => {
    await halted();
    rollouts.temporalServer.onUpdate = () => {
      throw new WorkflowUpdateFailedError(
        'refused',
        ApplicationFailure.nonRetryable('it is not halted', 'NotHalted'),
      );
    };
    await expect(decide(rollouts, request)).rejects.toMatchObject({
      code: 'NotHalted',
      message: 'it is not halted',
    });
  });

  it('tells when the workflow is closed, and when another decision stands', async () => {
    await halted();
    rollouts.temporalServer.onUpdate = () => ({
      ...request,
      decision: 'retry',
      phase: 2,
      round: 1,
      at: EPOCH,
    });
    await expect(decide(rollouts, request)).rejects.toMatchObject({ code: 'Conflict' });
    rollouts.temporalServer.workflows.clear();
    await expect(decide(rollouts, request)).rejects.toMatchObject({ code: 'Closed' });
  });
});
