import { expect, it } from 'vitest';
import { mergeModels, type Json } from '../../src/fleet/index.ts';
import { describeEngines } from '../support/engines.ts';
import { EPOCH, fleetOf, request } from '../support/fleet.ts';
import { journalOf } from '../support/fleet-journal.ts';

const HOUR = 3_600_000;
const s = (seconds: number) => EPOCH + seconds * 1000;
/** A swap takes 50 seconds. */
const EXACT = { osDiskSwap: { min: 20, max: 20 }, boot: { min: 30, max: 30 } };

describeEngines('instances of the simulated fleet that go and come', (open) => {
  const aFleet = async () => {
    const database = await open();
    const { fleet, scaleSetIds } = await fleetOf([{ region: 'eastus', capacity: 4 }], {
      database,
      behaviour: EXACT,
    });
    const id = scaleSetIds[0] as string;
    const write = async (over: Json, at = EPOCH) => {
      const model = mergeModels((await fleet.model(id)) as Json, over);
      return fleet.writeModel({ model, apiVersion: '2024-11-01', at });
    };
    const scaleTo = (capacity: number, at = EPOCH) => write({ sku: { capacity } }, at);
    const ids = async () => (await fleet.instances(id, EPOCH)).map(({ instanceId }) => instanceId);
    return { database, fleet, id, scaleTo, ids };
  };

  it('never give an id or a VM id twice, whichever way the last of them went', async () => {
    const { fleet, id, scaleTo, ids } = await aFleet();
    const [, , , last] = await fleet.instances(id, EPOCH);
    await scaleTo(3);
    await scaleTo(4);
    expect(await ids()).toEqual(['0', '1', '2', '4']);
    await fleet.deleteInstances(id, ['2', '4'], EPOCH);
    await scaleTo(4);
    expect(await ids()).toEqual(['0', '1', '5', '6']);
    const vmIds = (await fleet.instances(id, EPOCH)).map(({ vmId }) => vmId);
    expect(vmIds).not.toContain(last?.vmId);
  });

  it('nor in a set that was deleted and made again: what is remembered of the old VMs is not about the new ones', async () => {
    const { fleet, id, ids } = await aFleet();
    const model = (await fleet.model(id)) as Json;
    await fleet.deleteInstances(id, ['3'], EPOCH);
    await fleet.deleteScaleSet(id, EPOCH);
    await fleet.writeModel({ model, apiVersion: '2024-11-01', at: EPOCH });
    expect(await ids()).toEqual(['4', '5', '6', '7']);
  });

  for (const [how, remove] of [
    ['deleted', ({ fleet, id }) => fleet.deleteInstances(id, ['3'], s(70))],
    ['deleted with their set', ({ fleet, id }) => fleet.deleteScaleSet(id, s(70))],
    ['scaled in', ({ scaleTo }) => scaleTo(3, s(70))],
  ] satisfies [string, (made: Awaited<ReturnType<typeof aFleet>>) => Promise<unknown>][]) {
    it(`leave nothing untold that had happened by the time at which they were ${how} (rule E4)`, async () => {
      const made = await aFleet();
      const { database, fleet, id } = made;
      await fleet.operate(request(id, ['3'], 'osDisk.swap', s(0)));
      await fleet.operate(request(id, ['0'], 'osDisk.swap', s(40)));
      await remove(made);
      await fleet.settle(id, EPOCH + HOUR);
      const journal = await journalOf(database, id);
      expect(journal.filter((line) => line.includes(' 3 '))).toEqual([
        expect.stringContaining('0s 3 osDisk.swap started'),
        expect.stringContaining('50s 3 osDisk.swap succeeded'),
      ]);
      expect(journal.at(-1)).toContain(how === 'deleted with their set' ? '50s 3' : '90s 0');
    });
  }
});
