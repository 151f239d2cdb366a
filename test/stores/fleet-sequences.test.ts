import { expect, it } from 'vitest';
import type { OperationState } from '../../src/fleet/port.ts';
import { FleetApiError } from '../../src/fleet/index.ts';
import { describeEngines } from '../support/engines.ts';
import { EPOCH, fleetOf, request, type TestFleetOptions } from '../support/fleet.ts';
import { journalOf } from '../support/fleet-journal.ts';

const s = (seconds: number) => EPOCH + seconds * 1000;
const CONFIGURE = { then: ['extension.run' as const] };

describeEngines('operations that follow each other in one call', (open) => {
  const swapped = async (options: TestFleetOptions = {}) => {
    const made = await fleetOf([{ region: 'eastus', capacity: 3, extensions: [{ name: 'app' }] }], {
      database: await open(),
      ...options,
    });
    const [id = ''] = made.scaleSetIds;
    await made.fleet.operate(request(id, ['0', '1'], 'osDisk.swap', s(0)));
    return { ...made, id };
  };
  const statuses = (states: OperationState[]) => states.map(({ status }) => status);

  it('are begun as if they were asked for one by one, and the answer is about the last (rule B4)', async () => {
    const together = await swapped();
    const apart = await swapped();
    const states = await together.fleet.operate(
      request(together.id, ['0', '1'], 'model.apply', s(120), CONFIGURE),
    );
    await apart.fleet.operate(request(apart.id, ['0', '1'], 'model.apply', s(120)));
    const last = await apart.fleet.operate(request(apart.id, ['0', '1'], 'extension.run', s(120)));
    expect(states).toEqual(last);
    expect(statuses(states)).toEqual(['running', 'running']);
    for (const { fleet, id } of [together, apart]) await fleet.settle(id, s(600));
    const [one, other] = [
      await journalOf(together.database, together.id),
      await journalOf(apart.database, apart.id),
    ];
    expect(one.filter((line) => line.includes(' extension.run '))).toHaveLength(4);
    expect(one).toEqual(other);
  });

  it('begin nothing twice when they are asked for again', async () => {
    const { fleet, id, database } = await swapped();
    const ask = (at: number) => fleet.operate(request(id, ['0', '1'], 'model.apply', at, CONFIGURE));
    await ask(s(120));
    expect(statuses(await ask(s(600)))).toEqual(['succeeded', 'succeeded']);
    expect(await journalOf(database, id)).toHaveLength(2 * 3 * 2);
  });

  it('stop at an instance where one can not begin, and say why', async () => {
    const { fleet, id } = await swapped();
    await fleet.changeInstances(id, ['2'], { protectFromScaleSetActions: true }, s(100));
    const states = await fleet.operate(request(id, ['0', '2', '9'], 'model.apply', s(120), CONFIGURE));
    expect(statuses(states)).toEqual(['running', 'refused', 'failed']);
    expect(states.map(({ error }) => error?.code)).toEqual([
      undefined,
      'InstanceProtected',
      'InstanceNotFound',
    ]);
  });

  it.each([
    ['before', 0],
    ['after', 2],
  ] as const)(
    'keep what was begun when the API fails on the second one %s it is done',
    async (effect, begun) => {
      const fault = { kind: 'apiError' as const, operation: 'extension.run' as const, times: 1, effect };
      const { fleet, id, database } = await swapped({ faults: [fault] });
      const ask = () => fleet.operate(request(id, ['0', '1'], 'model.apply', s(120), CONFIGURE));
      await expect(ask()).rejects.toThrow(FleetApiError);
      const operations = await database.db.selectFrom('instance_operations').select('key').execute();
      expect(operations.filter(({ key }) => key.includes('model.apply'))).toHaveLength(2);
      expect(operations.filter(({ key }) => key.includes('extension.run'))).toHaveLength(begun);
      expect(statuses(await ask())).toEqual(['running', 'running']);
    },
  );
});
