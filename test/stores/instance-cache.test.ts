import { expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { uniformInt } from '../../src/domain/random.ts';
import { openSimulatedFleet, type Json, type SimulatedFleet } from '../../src/fleet/index.ts';
import { describeEngines } from '../support/engines.ts';
import { EPOCH, fleetOf, NEW_VERSION, request } from '../support/fleet.ts';

const s = (seconds: number) => EPOCH + seconds * 1000;
const IDS = ['0', '1', '2', '3', '4', '5'];

type Change = (fleet: SimulatedFleet, id: string, instanceIds: string[], at: number) => Promise<unknown>;

const operation =
  (name: 'osDisk.swap' | 'model.apply' | 'osDisk.restore'): Change =>
  (fleet, id, instanceIds, at) =>
    fleet.operate(request(id, instanceIds, name, at));

/** Every way in which a set's instances change. */
const CHANGES: Change[] = [
  operation('osDisk.swap'),
  operation('model.apply'),
  operation('osDisk.restore'),
  (fleet, id, instanceIds, at) => fleet.discardPreviousOsDisks(id, instanceIds, at),
  (fleet, id, instanceIds, at) =>
    fleet.changeInstances(id, instanceIds, { protectFromScaleSetActions: true }, at),
  (fleet, id, instanceIds, at) => fleet.changeInstances(id, instanceIds, { power: 'stopped' }, at),
  (fleet, id, instanceIds, at) => fleet.deleteInstances(id, instanceIds.slice(0, 1), at),
  (fleet, id, _, at) => fleet.settle(id, at),
  async (fleet, id, _, at) => {
    const model = (await fleet.model(id)) as { sku: { capacity: number } };
    const sku = { ...model.sku, capacity: model.sku.capacity + 1 };
    await fleet.writeModel({ id, model: { ...model, sku }, apiVersion: '2024-11-01', at });
  },
];

describeEngines('what a process remembers of instances', (open) => {
  it.each([1, 2, 3, 4, 5, 6])('is how they are, whoever has changed them last (seed %i)', async (seed) => {
    const database = await open();
    const { fleet: first, scaleSetIds } = await fleetOf([{ region: 'eastus', capacity: 6 }], { database });
    const [id = ''] = scaleSetIds;
    const second = await openSimulatedFleet(database);
    for (let step = 0; step < 25; step++) {
      const at = s(step * 20);
      const draw = (what: string, most: number) => uniformInt(0, most, String(seed), what, step);
      const change = CHANGES[draw('change', CHANGES.length - 1)] as Change;
      const from = draw('from', IDS.length - 1);
      const ids = IDS.slice(from, from + 1 + draw('count', 2));
      await change(draw('who', 1) === 0 ? first : second, id, ids, at);

      const seen = await (await openSimulatedFleet(database)).instances(id, at);
      expect(await first.instances(id, at)).toEqual(seen);
      expect(await second.instances(id, at)).toEqual(seen);
      const some = seen.filter(({ instanceId }) => ids.includes(instanceId));
      expect(await second.instances(id, at, ids)).toEqual(some);
    }
  });

  it('is not what a change would have made of them that was rolled back', async () => {
    const database = await open();
    let failing = false;
    const fragile: Database = {
      ...database,
      write: (locks, work) =>
        database.write(locks, async (tx) => {
          const result = await work(tx);
          if (failing) throw new Error('the connection was lost');
          return result;
        }),
    };
    const { scaleSetIds } = await fleetOf([{ region: 'eastus', capacity: 2 }], { database });
    const [id = ''] = scaleSetIds;
    const fleet = await openSimulatedFleet(fragile);
    const before = await fleet.instances(id, s(0));
    failing = true;
    await expect(fleet.operate(request(id, ['0', '1'], 'osDisk.swap', s(0)))).rejects.toThrow('lost');
    failing = false;
    expect(await fleet.instances(id, s(0))).toEqual(before);

    await fleet.operate(request(id, ['1'], 'osDisk.swap', s(0)));
    const versions = (await fleet.instances(id, s(600))).map(({ osDisk }) => osDisk?.source.version);
    expect(versions).toEqual([before[0]?.osDisk?.source.version, NEW_VERSION]);
  });

  it('is not what another set of the same name was', async () => {
    const database = await open();
    const { fleet, scaleSetIds } = await fleetOf([{ region: 'eastus', capacity: 2 }], { database });
    const [id = ''] = scaleSetIds;
    const other = await openSimulatedFleet(await openDatabase(database.url));
    await fleet.instances(id, s(0));
    const model = (await fleet.model(id)) as Json;
    await other.deleteScaleSet(id, s(0));
    expect(await fleet.instances(id, s(0))).toEqual([]);
    await other.writeModel({ id, model, apiVersion: '2024-11-01', at: s(1) });
    expect((await fleet.instances(id, s(2))).map(({ instanceId }) => instanceId)).toEqual(['2', '3']);
  });
});
