import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { NEW_VERSION } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  activityWorld,
  afterFirstBatch,
  at,
  configuredBatch,
  healthInput,
  oneSet,
  recordRollout,
  recordTargets,
  removeWorldsAfterEach,
  setLook,
} from './support.ts';

removeWorldsAfterEach();

/** Two sets of one VM, in a zone each. */
function twoZones() {
  const set = { region: 'eastus', capacity: 1 };
  return activityWorld(['1', '2'].map((zone) => ({ ...set, name: `z${zone}`, zones: [zone] })));
}

describe('orders and waits', () => {
  const order = { scope: 'all', who: 'ada', why: 'incident', at: at(0) };

  it('a pause holds the next batch back until it is resumed', async () => {
    const { world, id } = await oneSet();
    const next = await afterFirstBatch(world, id);
    await world.ledger.orders.set({ ...order, state: 'paused' });
    const paused = { kind: 'wait', what: 'paused: waits for resume', until: null };
    expect(await world.activities.lookAtScaleSet(next)).toMatchObject(paused);
    await world.ledger.orders.set({ ...order, state: 'running' });
    expect(await world.activities.lookAtScaleSet(next)).toMatchObject({ kind: 'batch', batch: 2 });
  });

  it('a cancel lets the batch under way end first, and says who cancelled and why', async () => {
    const { world, id } = await oneSet();
    const { look, configuredAt } = await configuredBatch(world, id);
    await world.ledger.orders.set({ ...order, state: 'cancelled' });
    const next = setLook(id, { attempt: look.attempt, at: configuredAt + MINUTE });
    expect(await world.activities.lookAtScaleSet(next)).toMatchObject({ kind: 'batch', batch: 1 });
    await world.activities.checkHealth(healthInput(id, look, configuredAt + MINUTE));
    expect(await world.activities.lookAtScaleSet(next)).toMatchObject({
      kind: 'finished',
      status: 'Cancelled',
      reason: { code: 'Cancelled', message: 'Cancelled by ada: incident' },
    });
  });

  for (const [what, change, code] of [
    ["Temporal's Cancel", { cancelRequested: true }, 'CancelRequested'],
    ['a wind-down', { windDown: true }, 'Interrupted'],
  ] as const) {
    it(`${what} ends the attempt between two batches as ${code}`, async () => {
      const { world, id } = await oneSet();
      const next = await afterFirstBatch(world, id);
      const look = await world.activities.lookAtScaleSet({ ...next, ...change });
      expect(look).toMatchObject({ kind: 'finished', status: 'Cancelled', reason: { code } });
      expect(await world.ledger.attempts.listOpen()).toEqual([]);
    });
  }

  it('a set that waits for a zone of another set gets it when that one is done, and is woken (D4)', async () => {
    const world = await twoZones();
    await recordTargets(world);
    const [one = '', two = ''] = world.scaleSetIds;
    const { look, configuredAt } = await configuredBatch(world, one);
    world.directory.open.add(setLook(one).workflow.id).add(setLook(two).workflow.id);
    const waiting = await world.activities.lookAtScaleSet(setLook(two));
    expect(waiting).toMatchObject({
      kind: 'wait',
      what: expect.stringContaining('zone 1 is being upgraded'),
    });

    await world.activities.checkHealth(healthInput(one, look, configuredAt + MINUTE));
    const end = setLook(one, { attempt: look.attempt, at: configuredAt + MINUTE });
    expect(await world.activities.lookAtScaleSet(end)).toMatchObject({ status: 'Completed' });
    expect(world.directory.woken).toContain(setLook(two).workflow.id);
    const turn = setLook(two, { attempt: waiting.attempt, at: configuredAt + 2 * MINUTE });
    expect(await world.activities.lookAtScaleSet(turn)).toMatchObject({ kind: 'batch', zone: '2' });
  });

  it('a set that goes on to its next zone leaves the one before, and wakes who waits for another (D4)', async () => {
    const sets = [
      { name: 'both', zones: ['1', '2'], capacity: 2 },
      { name: 'other', zones: ['2'], capacity: 1 },
    ];
    const world = await activityWorld(sets.map((set) => ({ region: 'eastus', ...set })));
    await recordTargets(world);
    const [both = '', other = ''] = world.scaleSetIds;
    const next = await afterFirstBatch(world, both);
    world.directory.open.add(setLook(both).workflow.id).add(setLook(other).workflow.id);
    expect((await world.activities.lookAtScaleSet(setLook(other))).kind).toBe('wait');
    expect(await world.activities.lookAtScaleSet(next)).toMatchObject({ kind: 'batch', zone: '2' });
    expect(world.directory.woken).toContain(setLook(other).workflow.id);
    expect(await world.activities.lookAtScaleSet(setLook(other, { at: next.at }))).toMatchObject({
      zone: '2',
    });
  });

  it('what a person starts on one set waits for no zone, and keeps none from others (D4, D8)', async () => {
    const world = await twoZones();
    await recordTargets(world);
    const [one = '', two = ''] = world.scaleSetIds;
    world.directory.open.add(setLook(one).workflow.id).add(setLook(two).workflow.id);
    expect(await world.activities.lookAtScaleSet(setLook(one))).toMatchObject({ zone: '1' });
    const manual = await recordRollout(world, { id: 'manual-two', kind: 'manual', phases: [] });
    const byHand = setLook(two, { rolloutId: manual.id, phase: null });
    expect(await world.activities.lookAtScaleSet(byHand)).toMatchObject({ kind: 'batch', zone: '2' });
    expect(await world.ledger.claims.list()).toMatchObject([{ value: '1' }]);
  });

  it('a paused set is in the way of no other zone (D4)', async () => {
    const { world, id } = await oneSet({ zones: ['1', '2'] });
    const next = await afterFirstBatch(world, id);
    expect(await world.ledger.claims.list()).toMatchObject([{ value: '1' }]);
    await world.ledger.orders.set({ ...order, state: 'paused' });
    expect((await world.activities.lookAtScaleSet(next)).kind).toBe('wait');
    expect(await world.ledger.claims.list()).toEqual([]);
  });

  it('a zone whose holder was terminated is not waited for in vain: that set is wound down', async () => {
    const world = await twoZones();
    const [one = '', two = ''] = world.scaleSetIds;
    await configuredBatch(world, one);
    world.directory.open.add(setLook(two).workflow.id);
    expect((await world.activities.lookAtScaleSet(setLook(two))).kind).toBe('wait');
    expect(world.directory.windDowns).toMatchObject([{ scaleSetId: one, windDown: true }]);
  });

  it('a set that was deleted ends its attempt, frees its zone and leaves the sum', async () => {
    const { world, id } = await oneSet({ zones: ['1'] });
    const next = await afterFirstBatch(world, id);
    expect(await world.ledger.claims.list()).toHaveLength(1);
    await world.fleet.deleteScaleSet(id, next.at);
    const end = { kind: 'finished', status: 'Cancelled', reason: { code: 'ScaleSetDeleted' } };
    expect(await world.activities.lookAtScaleSet(next)).toMatchObject(end);
    expect(await world.ledger.claims.list()).toEqual([]);
    expect(await world.ledger.attempts.listOpen()).toEqual([]);
    expect(await world.ledger.targets.get(ROLLOUT_ID, id)).toMatchObject({ status: 'skipped' });
  });

  it('Faulted before anything is touched where the set is unhealthy already (B1)', async () => {
    const { world, id } = await oneSet();
    await world.fleet.changeInstances(id, ['1', '2', '3'], { power: 'stopped' }, at(1));
    expect(await world.activities.lookAtScaleSet(setLook(id, { at: at(5) }))).toMatchObject({
      kind: 'finished',
      status: 'Faulted',
      reason: { code: 'MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade' },
    });
    const instances = await world.fleet.instances(id, at(5));
    expect(instances.some(({ osDisk }) => osDisk?.source.version === NEW_VERSION)).toBe(false);
  });
});
