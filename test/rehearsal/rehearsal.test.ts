import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { auditJournal } from '../../src/audit/index.ts';
import { NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';
import {
  START,
  journalOf,
  rehearsalOf,
  removeWorldsAfterEach,
  start,
  type RehearsalWorld,
} from './support.ts';

removeWorldsAfterEach();

async function versions({ fleet, rehearsal }: RehearsalWorld, id: string): Promise<string[]> {
  const instances = await fleet.instances(id, rehearsal.now);
  return [...new Set(instances.map(({ osDisk }) => osDisk?.source.version ?? 'none'))];
}

const TWO = [
  { name: 'web', region: 'eastus', zones: ['1', '2', '3'], capacity: 9 },
  { name: 'api', region: 'westus', capacity: 10, extensions: [{ name: 'app' }] },
];

describe('the interpreter', () => {
  it('runs a rollout over phases and regions to its end, in virtual time', async () => {
    const world = await rehearsalOf(TWO);
    const id = await start(world, [['eastus'], ['westus']]);
    expect(await world.rehearsal.run()).toBe('ended');
    expect(await world.ledger.rollouts.get(id)).toMatchObject({ status: 'Completed' });
    for (const set of world.scaleSetIds) expect(await versions(world, set)).toEqual([NEW_VERSION]);
    expect(auditJournal(await journalOf(world, id), [['eastus', 'westus']]).violations).toEqual([]);
    expect(world.rehearsal.now - START).toBeGreaterThan(20 * MINUTE);
  });

  it('gives the same run for the same seed, and the same end for any', async () => {
    const story = async (seed: string) => {
      const world = await rehearsalOf(TWO, {}, { seed });
      const id = await start(world, [['eastus', 'westus']]);
      await world.rehearsal.run();
      const lines = await journalOf(world, id);
      return lines.map(({ at, operation, event, scaleSetId, instanceId }) =>
        [at, operation, event, scaleSetId, instanceId].join(' '),
      );
    };
    const first = await story('a');
    expect(await story('a')).toEqual(first);
    expect((await story('b')).length).toBe(first.length);
  });

  it('has a terminated set taken over: every VM is swapped once, and all end on the new version', async () => {
    const world = await rehearsalOf(TWO);
    const id = await start(world, [['eastus', 'westus']]);
    for (const minutes of [2, 4, 9, 15]) {
      world.rehearsal.at(START + minutes * MINUTE, () => {
        for (const set of world.scaleSetIds) {
          world.rehearsal.find(scaleSetRolloutId(set))?.close({ kind: 'terminated' });
        }
      });
    }
    expect(await world.rehearsal.run()).toBe('ended');
    for (const set of world.scaleSetIds) expect(await versions(world, set)).toEqual([NEW_VERSION]);
    const swaps = (await journalOf(world, id)).filter((line) => line.operation === 'osDisk.swap');
    expect(swaps.filter((line) => line.event === 'started')).toHaveLength(19);
  });

  it('does an activity again whose worker died, before or after it did its work', async () => {
    let calls = 0;
    const lost = () => (['lostBefore', 'lostAfter', 'none'] as const)[calls++ % 3] ?? 'none';
    const world = await rehearsalOf(TWO, {}, { disturb: lost });
    const id = await start(world, [['eastus', 'westus']]);
    expect(await world.rehearsal.run()).toBe('ended');
    expect(await world.ledger.rollouts.get(id)).toMatchObject({ status: 'Completed' });
    const swaps = (await journalOf(world, id)).filter((line) => line.operation === 'osDisk.swap');
    expect(swaps.filter((line) => line.event === 'started')).toHaveLength(19);
  });

  it('puts the one that failed back, and leaves its neighbours of the batch on the new version (B6)', async () => {
    const faults = [{ kind: 'neverHealthy' as const, version: NEW_VERSION, instances: ['5'] }];
    const world = await rehearsalOf([{ name: 'web', region: 'eastus', capacity: 10 }], { faults });
    await start(world, [['eastus']]);
    await world.rehearsal.run();
    const [id = ''] = world.scaleSetIds;
    const [first, failed] = await world.fleet.instances(id, world.rehearsal.now, ['0', '5']);
    expect(first?.osDisk?.source.version).toBe(NEW_VERSION);
    expect(failed?.osDisk?.source.version).toBe(OLD_VERSION);
  });

  it('halts for a person, and goes on as decided', async () => {
    const faults = [{ kind: 'neverHealthy' as const, version: NEW_VERSION, scaleSet: 'web' }];
    const world = await rehearsalOf(TWO, { faults });
    const id = await start(world, [['eastus'], ['westus']]);
    expect(await world.rehearsal.run()).toBe('waitsForDecision');
    expect(await world.ledger.rollouts.get(id)).toMatchObject({ status: 'Halted' });
    expect(await world.rehearsal.decide(id, 'proceed', 'ada', 'known')).toMatchObject({
      decision: 'proceed',
    });
    expect(await world.rehearsal.run()).toBe('ended');
    expect(await world.ledger.rollouts.get(id)).toMatchObject({ status: 'Completed' });
  });
});
