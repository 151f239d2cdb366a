import { describe, expect, it } from 'vitest';
import { NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';
import { journalOf } from '../support/fleet-journal.ts';
import {
  asBatch,
  at,
  batchInput,
  configuredBatch,
  oneSet,
  regionLook,
  removeWorldsAfterEach,
  setLook,
  type ActivityWorld,
} from './support.ts';

removeWorldsAfterEach();

async function firstBatch(world: ActivityWorld, id: string) {
  const look = asBatch(await world.activities.lookAtScaleSet(setLook(id)));
  const [first = '', second = ''] = look.instanceIds;
  return { look, first, second, input: (seconds: number) => batchInput(id, look, at(seconds)) };
}

const versions = async ({ fleet }: ActivityWorld, id: string, seconds: number, ids: string[]) =>
  (await fleet.instances(id, at(seconds), ids)).map(({ osDisk }) => osDisk?.source.version ?? 'no disk');

/** Of an operation, the instances on which it was begun, in the order of beginning. */
async function started({ database }: ActivityWorld, id: string, operation: string): Promise<string[]> {
  const lines = await journalOf(database, id);
  return lines
    .filter((line) => line.includes(`${operation} started`))
    .map((line) => line.split(' ')[1] ?? '');
}

describe('swapOsDisks (B4)', () => {
  it('begins the swaps and says when they end; asked again it begins nothing', async () => {
    const { world, id } = await oneSet();
    const { look, input } = await firstBatch(world, id);
    const begun = { pendingUntil: at(50), incomplete: false };
    expect(await world.activities.swapOsDisks(input(0))).toEqual(begun);
    expect(await versions(world, id, 1, look.instanceIds)).toEqual(['no disk', 'no disk']);
    // A worker died, and another one tries again, twice.
    expect(await world.activities.swapOsDisks(input(10))).toEqual(begun);
    expect(await world.activities.swapOsDisks(input(30))).toEqual(begun);
    expect(await world.activities.swapOsDisks(input(50))).toEqual({ ...begun, pendingUntil: null });
    expect(await versions(world, id, 50, look.instanceIds)).toEqual([NEW_VERSION, NEW_VERSION]);
    expect(await started(world, id, 'osDisk.swap')).toHaveLength(2);
  });

  it('waits for the slowest of its chunk', async () => {
    const { world, id } = await oneSet();
    const { input, second } = await firstBatch(world, id);
    await world.fleet.setFaults([{ kind: 'slowBoot', seconds: 90, instances: [second] }]);
    expect(await world.activities.swapOsDisks(input(0))).toMatchObject({ pendingUntil: at(140) });
  });

  it('does nothing twice after the cloud did what was asked and answered with an error', async () => {
    const apiError = { kind: 'apiError', operation: 'osDisk.swap', times: 1, effect: 'after' } as const;
    const { world, id } = await oneSet({}, { faults: [apiError] });
    const { input } = await firstBatch(world, id);
    await expect(world.activities.swapOsDisks(input(0))).rejects.toThrow('API failed');
    expect(await world.activities.swapOsDisks(input(20))).toMatchObject({ pendingUntil: at(50) });
    expect(await started(world, id, 'osDisk.swap')).toHaveLength(2);
  });
});

describe('configureInstances (B4)', () => {
  const extensions = [{ name: 'second', provisionAfterExtensions: ['first'] }, { name: 'first' }];

  it('applies the model, then runs the extensions in their order; asked again it begins nothing', async () => {
    const { world, id } = await oneSet({ extensions });
    const { input, first } = await firstBatch(world, id);
    await world.activities.swapOsDisks(input(0));
    // The model takes 5 s, and each extension 10 s.
    const begun = { pendingUntil: at(75), incomplete: false };
    expect(await world.activities.configureInstances(input(50))).toEqual(begun);
    expect(await world.activities.configureInstances(input(60))).toEqual(begun);
    expect(await world.activities.configureInstances(input(75))).toEqual({ ...begun, pendingUntil: null });
    const lines = await journalOf(world.database, id);
    const ofFirst = lines.filter((line) => line.split(' ')[1] === first && line.includes('started'));
    expect(ofFirst.map((line) => line.split(' ').slice(2, 4).join(' '))).toEqual([
      'osDisk.swap started',
      'model.apply started',
      'extension.run first',
      'extension.run second',
    ]);
    expect(ofFirst.map((line) => Number.parseFloat(line) - 3600)).toEqual([0, 50, 55, 65]);
  });

  it('touches only instances that are seen on the target, however the swap was answered', async () => {
    const { world, id } = await oneSet();
    const { input, first, second } = await firstBatch(world, id);
    await world.fleet.setFaults([{ kind: 'swapFails', instances: [first] }]);
    await world.activities.swapOsDisks(input(0));
    expect(await versions(world, id, 50, [first, second])).toEqual([OLD_VERSION, NEW_VERSION]);
    const { pendingUntil, incomplete } = await world.activities.configureInstances(input(50));
    expect({ pendingUntil, incomplete }).toEqual({ pendingUntil: at(55), incomplete: false });
    expect(await started(world, id, 'model.apply')).toEqual([second]);
  });

  it('is to be repeated for instances whose swap still runs', async () => {
    const { world, id } = await oneSet();
    const { input, second } = await firstBatch(world, id);
    await world.fleet.setFaults([{ kind: 'slowBoot', seconds: 90, instances: [second] }]);
    await world.activities.swapOsDisks(input(0));
    const early = await world.activities.configureInstances(input(10));
    expect(early).toEqual({ pendingUntil: at(140), incomplete: true });
    expect(await world.activities.configureInstances(input(140))).toMatchObject({ incomplete: false });
  });
});

describe('restoreOsDisks (B6)', () => {
  it('brings the previous disks back, once; a swap that comes after that is refused', async () => {
    const { world, id } = await oneSet();
    const { look } = await configuredBatch(world, id);
    const input = (seconds: number) => batchInput(id, look, at(seconds));
    const begun = { pendingUntil: at(440), incomplete: true };
    expect(await world.activities.restoreOsDisks(input(400))).toEqual(begun);
    expect(await world.activities.restoreOsDisks(input(420))).toEqual(begun);
    expect(await world.activities.restoreOsDisks(input(440))).toEqual({
      pendingUntil: null,
      incomplete: false,
    });
    expect(await versions(world, id, 440, look.instanceIds)).toEqual([OLD_VERSION, OLD_VERSION]);
    expect(await started(world, id, 'osDisk.restore')).toHaveLength(2);

    // Two zombies: the swap that was begun before is answered from memory, one of a new identity is refused.
    await world.activities.swapOsDisks(input(441));
    const zombie = { ...input(442), attempt: { ...look.attempt, id: 'another' } };
    await expect(world.activities.swapOsDisks(zombie)).rejects.toMatchObject({ type: 'Fenced' });
    expect(await versions(world, id, 443, look.instanceIds)).toEqual([OLD_VERSION, OLD_VERSION]);
    expect(await started(world, id, 'osDisk.swap')).toHaveLength(2);
  });
});

describe('faults that a retry cannot help', () => {
  it('are marked so: a rollout or an attempt that is not recorded', async () => {
    const { world, id } = await oneSet();
    const notFound = expect.objectContaining({ type: 'NotFound', nonRetryable: true });
    const { lookAtScaleSet, lookAtRegion, judgePhase } = world.activities;
    await expect(lookAtScaleSet(setLook(id, { rolloutId: 'gone' }))).rejects.toEqual(notFound);
    const attempt = { id: 'gone', fence: 1, number: 1 };
    await expect(lookAtScaleSet(setLook(id, { attempt }))).rejects.toEqual(notFound);
    await expect(judgePhase({ rolloutId: 'gone', phase: 1, round: 1, at: at(0) })).rejects.toEqual(notFound);
    await expect(lookAtRegion(regionLook({ rolloutId: 'gone' }))).rejects.toEqual(notFound);
  });
});
