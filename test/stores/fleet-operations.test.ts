import { expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { openSimulatedFleet } from '../../src/fleet/index.ts';
import type { OperationRequest } from '../../src/fleet/port.ts';
import { describeEngines } from '../support/engines.ts';
import {
  EPOCH,
  fleetOf,
  NEW_VERSION,
  OLD_VERSION,
  request,
  type TestFleetOptions,
  type TestSet,
} from '../support/fleet.ts';
import { healthySince } from '../support/health.ts';
import { journalOf } from '../support/fleet-journal.ts';

/** Every step takes a time of its own, so that a journal's times tell which is which. */
const EXACT = {
  osDiskSwap: { min: 20, max: 20 },
  boot: { min: 30, max: 30 },
  modelApply: { min: 5, max: 5 },
  extensionRun: { min: 10, max: 10 },
  becomeHealthy: { min: 15, max: 15 },
  osDiskRestore: { min: 40, max: 40 },
};
const s = (seconds: number) => EPOCH + seconds * 1000;

describeEngines('operations on the simulated fleet', (open) => {
  const oneSet = async (set: Partial<TestSet> = {}, options: TestFleetOptions = {}) => {
    const made = await fleetOf([{ region: 'eastus', capacity: 3, ...set }], {
      database: await open(),
      behaviour: EXACT,
      ...options,
    });
    return { ...made, id: made.scaleSetIds[0] as string };
  };
  const TWO_EXTENSIONS = {
    extensions: [{ name: 'second', provisionAfterExtensions: ['first'] }, { name: 'first' }],
  };

  it('goes through a swap, the model, extensions and health, each at its exact moment (rules B4, B5)', async () => {
    const { fleet, id, database } = await oneSet(TWO_EXTENSIONS);
    const look = async (seconds: number) => (await fleet.instances(id, s(seconds), ['1']))[0];

    expect(await fleet.operate(request(id, ['1'], 'osDisk.swap', s(0)))).toEqual([
      { instanceId: '1', status: 'running', startedAt: s(0), endsAt: s(50) },
    ]);
    const before = await look(0);
    expect(before).toMatchObject({ osDisk: null, powerState: 'stopped', provisioningState: 'Updating' });
    expect(before?.previousOsDisk?.source.version).toBe(OLD_VERSION);
    expect(await look(19.999)).toMatchObject({ osDisk: null });
    expect(await look(20)).toMatchObject({
      osDisk: { source: { version: NEW_VERSION }, createdAt: s(20) },
      powerState: 'starting',
    });
    expect(await look(50)).toMatchObject({ powerState: 'running', configuredAt: null });

    await fleet.operate(request(id, ['1'], 'model.apply', s(50)));
    const [running] = await fleet.operate(request(id, ['1'], 'extension.run', s(55)));
    expect(running).toEqual({ instanceId: '1', status: 'running', startedAt: s(55), endsAt: s(75) });
    expect((await look(65))?.extensions).toEqual([
      { name: 'second', state: 'creating' },
      { name: 'first', state: 'succeeded' },
    ]);
    expect(await look(89.999)).toMatchObject({
      applicationHealth: 'unhealthy',
      configuredAt: s(75),
      healthyStretches: [],
      provisioningState: 'Succeeded',
    });
    expect(await look(90)).toMatchObject({
      applicationHealth: 'healthy',
      healthyStretches: [{ from: s(90), to: null }],
    });
    expect(await look(9000)).toMatchObject({
      applicationHealth: 'healthy',
      healthyStretches: [{ from: s(90), to: null }],
    });

    expect(await journalOf(database, id)).toEqual([
      `0s 1 osDisk.swap started ${OLD_VERSION}>${NEW_VERSION}`,
      `50s 1 osDisk.swap succeeded ${OLD_VERSION}>${NEW_VERSION}`,
      `50s 1 model.apply started ->${NEW_VERSION}`,
      `55s 1 model.apply succeeded ->${NEW_VERSION}`,
      `55s 1 extension.run first started ->${NEW_VERSION}`,
      `65s 1 extension.run first succeeded ->${NEW_VERSION}`,
      `65s 1 extension.run second started ->${NEW_VERSION}`,
      `75s 1 extension.run second succeeded ->${NEW_VERSION}`,
    ]);
  });

  it('shows a late look the same moments as an early one', async () => {
    const late = await oneSet(TWO_EXTENSIONS);
    for (const operation of ['osDisk.swap', 'model.apply', 'extension.run'] as const) {
      // Nobody waits: an instance does one after the other.
      await late.fleet.operate(request(late.id, ['0', '1'], operation, s(0)));
    }
    const instances = await late.fleet.instances(late.id, s(86_400));
    expect(instances.map((instance) => [instance.configuredAt, healthySince(instance)])).toEqual([
      [s(75), s(90)],
      [s(75), s(90)],
      [expect.any(Number), expect.any(Number)],
    ]);
    const lines = await journalOf(late.database, late.id);
    const times = lines.map((line) => Number.parseFloat(line));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(lines.filter((line) => line.includes(' 1 '))).toHaveLength(8);
  });

  it('begins nothing when asked again, however often', async () => {
    const { fleet, id, database } = await oneSet();
    const swap = request(id, ['2', '0'], 'osDisk.swap', s(0));
    const first = await fleet.operate(swap);
    expect(await fleet.operate({ ...swap, at: s(10) })).toEqual(first);
    const [after] = await fleet.operate({ ...swap, at: s(51) });
    expect(after).toEqual({ ...first[0], status: 'succeeded' });
    expect(first.map(({ instanceId }) => instanceId)).toEqual(['2', '0']);
    expect(await journalOf(database, id)).toHaveLength(4);
  });

  it('never goes back in time', async () => {
    const { fleet, id } = await oneSet();
    await fleet.operate(request(id, ['0'], 'osDisk.swap', s(100)));
    const [state] = await fleet.operate(request(id, ['1'], 'osDisk.swap', s(40)));
    expect(state?.startedAt).toBe(s(100));
    const [early] = await fleet.instances(id, s(0), ['0']);
    expect(early?.osDisk).toBeNull();
  });

  it('has everything happen at once where nothing takes time', async () => {
    const { fleet, id, database } = await oneSet({ capacity: 2 }, { behaviour: 'instant' });
    for (const operation of ['osDisk.swap', 'model.apply', 'extension.run'] as const) {
      const states = await fleet.operate(request(id, ['0'], operation, s(1)));
      expect(states).toEqual([{ instanceId: '0', status: 'succeeded', startedAt: s(1), endsAt: s(1) }]);
    }
    expect((await fleet.instances(id, s(1), ['0']))[0]).toMatchObject({
      configuredAt: s(1),
      healthyStretches: [{ from: s(1), to: null }],
    });
    // Without extensions there is nothing to run, and nothing to tell of it.
    expect((await journalOf(database, id)).some((line) => line.includes('extension'))).toBe(false);
  });

  it('answers for instances and sets that are not there', async () => {
    const { fleet, id, database } = await oneSet();
    const [missing] = await fleet.operate(request(id, ['77'], 'osDisk.swap', s(0)));
    expect(missing).toMatchObject({ status: 'failed', error: { code: 'InstanceNotFound' } });
    expect(await fleet.instances(`${id}-other`, s(0))).toEqual([]);
    expect(await fleet.scaleSet(`${id}-other`)).toBeNull();
    expect((await fleet.scaleSet(id.toUpperCase()))?.id).toBe(id);
    expect(await journalOf(database, id)).toEqual([]);
  });

  it('refuses a zombie swap of the same attempt after the restore', async () => {
    const { fleet, id, database } = await oneSet();
    await fleet.operate(request(id, ['0'], 'osDisk.swap', s(0)));
    await fleet.operate(request(id, ['0'], 'osDisk.restore', s(60)));
    const lines = await journalOf(database, id);
    const [zombie] = await fleet.operate(request(id, ['0'], 'osDisk.swap', s(61), { ordinal: 2 }));
    expect(zombie).toMatchObject({
      status: 'refused',
      startedAt: s(61),
      endsAt: s(61),
      error: { code: 'Fenced' },
    });
    expect(await journalOf(database, id)).toEqual(lines);
  });

  it('refuses a lower fence, but still answers for what it began', async () => {
    const { fleet, id } = await oneSet();
    await fleet.operate(request(id, ['0'], 'osDisk.swap', s(0)));
    await fleet.fence(id, 2);
    await fleet.fence(id, 1);
    const [known, fresh] = await fleet.operate(request(id, ['0', '1'], 'osDisk.swap', s(60)));
    expect(known).toMatchObject({ status: 'succeeded' });
    expect(fresh).toMatchObject({ status: 'refused', error: { code: 'Fenced' } });
    // The same attempt, taken over with the new fence, goes on where it was.
    const [next] = await fleet.operate(request(id, ['0'], 'model.apply', s(61), { fence: 2 }));
    expect(next).toMatchObject({ status: 'running', startedAt: s(61) });
  });

  it('is taken over by an operation with a higher fence, for all of its instances (rule B12)', async () => {
    const { fleet, id } = await oneSet();
    await fleet.operate(request(id, ['0'], 'osDisk.swap', s(0), { fence: 5 }));
    const [late] = await fleet.operate(request(id, ['1'], 'osDisk.swap', s(1), { fence: 4 }));
    expect(late).toMatchObject({ status: 'refused', error: { code: 'Fenced' } });
    const [own] = await fleet.operate(request(id, ['1'], 'osDisk.swap', s(2), { fence: 5 }));
    expect(own).toMatchObject({ status: 'running' });
  });

  it('swaps a disk once when two connections ask at the same time', async () => {
    const { fleet, id, database } = await oneSet({ capacity: 20 });
    const second = await openDatabase((database as typeof database & { url: string }).url);
    const other = await openSimulatedFleet(second);
    const ids = Array.from({ length: 20 }, (_, i) => String(i));
    const swap = request(id, ids, 'osDisk.swap', s(0));
    const answers = await Promise.all([fleet.operate(swap), other.operate(swap), fleet.operate(swap)]);
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    await other.settle(id, s(100));
    const lines = await journalOf(database, id);
    expect(lines.filter((line) => line.includes('started'))).toHaveLength(20);
    expect(lines.filter((line) => line.includes('succeeded'))).toHaveLength(20);
    await second.close();
  });

  it('repeats itself from the same seed', async () => {
    const run = async (seed: string) => {
      const { fleet, id, database } = await oneSet(TWO_EXTENSIONS, { behaviour: {}, seed });
      for (const operation of ['osDisk.swap', 'model.apply', 'extension.run'] as const) {
        await fleet.operate(request(id, ['0', '1', '2'], operation, s(0)));
      }
      return { instances: await fleet.instances(id, s(3600)), journal: await journalOf(database, id) };
    };
    const first = await run('a');
    expect(await run('a')).toEqual(first);
    expect((await run('b')).journal).not.toEqual(first.journal);
  });

  it('begin on no protected instance, unless the attempt has begun something there before', async () => {
    const { fleet, id, database } = await oneSet(TWO_EXTENSIONS);
    const protect = (ids: string[], at: number) =>
      fleet.changeInstances(id, ids, { protectFromScaleSetActions: true }, at);
    const statesOf = async (operation: OperationRequest['operation'], at: number, more = {}) =>
      (await fleet.operate(request(id, ['0', '1'], operation, at, more))).map(
        ({ status, error }) => error?.code ?? status,
      );
    await protect(['0'], s(0));
    expect(await statesOf('osDisk.swap', s(0))).toEqual(['InstanceProtected', 'running']);
    await protect(['1'], s(10));
    expect(await statesOf('model.apply', s(60))).toEqual(['InstanceProtected', 'running']);
    expect(await statesOf('extension.run', s(70))).toEqual(['InstanceProtected', 'running']);
    const other = { attemptId: 'attempt-2', fence: 2 };
    expect(await statesOf('osDisk.restore', s(200), other)).toEqual([
      'InstanceProtected',
      'InstanceProtected',
    ]);
    expect(await statesOf('osDisk.restore', s(200))).toEqual(['InstanceProtected', 'running']);
    expect((await journalOf(database, id)).filter((line) => line.includes(' 0 '))).toEqual([]);
  });
});
