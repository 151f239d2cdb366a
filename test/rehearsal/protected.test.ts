import { describe, expect, it } from 'vitest';
import { manualRolloutId } from '../../src/workflows/ids.ts';
import { NEW_VERSION, OLD_VERSION, testSetId } from '../support/fleet.ts';
import { journalOf, rehearsalOf, removeWorldsAfterEach, start } from './support.ts';

removeWorldsAfterEach();
const web = testSetId('web');
const SPARED = { outcome: 'left', error: expect.stringContaining('InstanceProtected: ') as string };

/** A rollout in which the first two instances are protected between the decision on their batch and its beginning. */
async function rolledOut(action: 'osUpgrade' | 'modelUpdate' = 'osUpgrade') {
  const members: string[] = [];
  const world = await rehearsalOf(
    [{ name: 'web', region: 'eastus', capacity: 10 }],
    {},
    {
      onStep: async ({ activity, result }) => {
        const look = result as { kind?: string; instanceIds?: string[] };
        if (activity !== 'lookAtScaleSet' || look.kind !== 'batch' || members.length > 0) return;
        members.push(...(look.instanceIds ?? []).slice(0, 2));
        await fleet.changeInstances(web, members, { protectFromScaleSetActions: true }, rehearsal.now);
      },
    },
  );
  const { fleet, ledger, rehearsal } = world;
  const id = await (action === 'osUpgrade' ? start(world, [['eastus']]) : updateByHand());
  await rehearsal.run();
  const [attempt] = await ledger.attempts.listOf({ scaleSetId: web });
  const touched = (await journalOf(world, id)).filter((entry) => members.includes(entry.instanceId));
  const taken = await ledger.attempts.instances(attempt?.id ?? '');
  const instances = await fleet.instances(web, rehearsal.now);
  const outcomes = taken.filter(({ instanceId }) => members.includes(instanceId));
  return { members, attempt, touched, outcomes, instances, rollout: await ledger.rollouts.get(id) };

  async function updateByHand(): Promise<string> {
    const model = (await fleet.model(web)) as { properties: { virtualMachineProfile: object } };
    Object.assign(model.properties.virtualMachineProfile, { userData: 'bmV3' });
    const scaleSet = await fleet.writeModel({ model, apiVersion: '2024-11-01', at: rehearsal.now });
    const id = manualRolloutId(web, 1);
    return start(world, [], { id, kind: 'manual', action: 'modelUpdate' }, scaleSet);
  }
}

describe('an instance that is protected when its turn comes', () => {
  it('is not touched by an upgrade, fails nothing, and holds nobody up', async () => {
    const { members, attempt, touched, outcomes, instances, rollout } = await rolledOut();
    expect(members).toHaveLength(2);
    expect(touched).toEqual([]);
    expect(outcomes).toMatchObject([SPARED, SPARED]);
    for (const { instanceId, osDisk } of instances) {
      const version = members.includes(instanceId) ? OLD_VERSION : NEW_VERSION;
      expect(osDisk?.source.version).toBe(version);
    }
    expect(attempt).toMatchObject({
      status: 'Completed',
      reason: { code: 'InstanceProtected' },
      progress: { successfulInstanceCount: 8, failedInstanceCount: 0, pendingInstanceCount: 0 },
    });
    expect(rollout?.status).toBe('Completed');
  });

  it('is not touched by an update to the model either, and is not taken for healthy on it', async () => {
    const { members, attempt, touched, outcomes, instances } = await rolledOut('modelUpdate');
    expect(touched).toEqual([]);
    expect(outcomes).toMatchObject([SPARED, SPARED]);
    const behind = instances.filter((one) => !one.latestModelApplied).map((one) => one.instanceId);
    expect(behind).toEqual(members);
    expect(attempt).toMatchObject({ status: 'Completed', reason: { code: 'InstanceProtected' } });
  });
});
