import { describe, expect, it } from 'vitest';
import type { RegionLook, RegionLookInput } from '../../src/activities/types.ts';
import { HOUR, MINUTE, isoTime } from '../../src/domain/clock.ts';
import { scaleSetScope } from '../../src/domain/scopes.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import type { Json } from '../../src/fleet/wire-shape.ts';
import { scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { NEW_VERSION, TARGET, testSetId, type TestSet } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  activityWorld,
  at,
  regionLook,
  removeWorldsAfterEach,
  type ActivityWorld,
  type WorldOptions,
} from './support.ts';

removeWorldsAfterEach();

const EARLIEST = DEFAULT_SETTINGS.triggerDelay.min;
const LATEST = DEFAULT_SETTINGS.triggerDelay.max;
/** Long after every trigger of a first look at `at(0)`. */
const ALL_DUE = at(0) + LATEST;

function region(names: string[], set: Partial<TestSet> = {}, options: WorldOptions = {}) {
  return activityWorld(
    names.map((name) => ({ name, region: 'eastus', capacity: 3, ...set })),
    options,
  );
}

const look = (world: ActivityWorld, change: Partial<RegionLookInput> = {}): Promise<RegionLook> =>
  world.activities.lookAtRegion(regionLook(change));

const names = ({ start }: RegionLook) => start.map(({ name }) => name).toSorted();
const target = ({ ledger }: ActivityWorld, name: string) => ledger.targets.get(ROLLOUT_ID, testSetId(name));

describe('which sets take part', () => {
  it('skips those that are not eligible, with every reason and what to do about it', async () => {
    const world = await activityWorld([
      { name: 'good', region: 'eastus', capacity: 3 },
      { name: 'opted-out', region: 'eastus', capacity: 3, automaticOSUpgrade: false },
      { name: 'blind', region: 'eastus', capacity: 3, health: 'none', apiVersion: '2017-12-01' },
      { name: 'elsewhere', region: 'westus3', capacity: 3 },
    ]);
    expect((await look(world)).counts).toMatchObject({ waiting: 1, skipped: 2 });
    expect(await target(world, 'opted-out')).toMatchObject({
      status: 'skipped',
      reason: {
        code: 'AutomaticOSUpgradeDisabled',
        message: expect.stringContaining('Set upgradePolicy.automaticOSUpgradePolicy'),
      },
    });
    expect((await target(world, 'blind'))?.reason?.code).toBe('HealthSourceMissing,ModelApiVersionTooOld');
    expect(await target(world, 'elsewhere')).toBeNull();
  });

  it('leaves out a set that was cancelled before until a person resumes it (D6)', async () => {
    const world = await region(['cancelled', 'other']);
    const order = { scope: scaleSetScope(testSetId('cancelled')), who: 'ann', why: 'disk tests', at: at(0) };
    await world.ledger.orders.set({ ...order, state: 'cancelled' });
    expect((await look(world)).counts).toMatchObject({ waiting: 1, skipped: 1 });
    expect((await target(world, 'cancelled'))?.reason?.code).toBe('ScaleSetCancelled');
    await world.ledger.orders.set({ ...order, state: 'running' });
    expect((await look(world)).counts).toMatchObject({ waiting: 2, skipped: 0 });
  });

  it('leaves out what was reverted there until a person lifts that (D6)', async () => {
    const world = await region(['reverted', 'other']);
    const { heldVersions } = world.ledger;
    const scaleSetId = testSetId('reverted');
    await heldVersions.hold({ scaleSetId, version: TARGET, who: 'ann', why: 'bad kernel', since: at(0) });
    expect((await look(world)).counts).toMatchObject({ waiting: 1, skipped: 1 });
    expect((await target(world, 'reverted'))?.reason?.code).toBe('VersionHeldBack');
    await heldVersions.lift(scaleSetId, TARGET, at(1), 'ann');
    expect((await look(world)).counts).toMatchObject({ waiting: 2, skipped: 0 });
  });

  it('finds a set that was opted in since, at its next look at the fleet (D6)', async () => {
    const world = await region(['late'], { automaticOSUpgrade: false, mode: 'Rolling' });
    await look(world);
    const model = (await world.fleet.model(testSetId('late'))) as Json;
    const policy = (model['properties'] as Json)['upgradePolicy'] as Json;
    policy['automaticOSUpgradePolicy'] = { enableAutomaticOSUpgrade: true };
    await world.fleet.writeModel({ model, apiVersion: '2024-11-01', at: at(1) });
    expect((await look(world, { scan: false, at: at(60) })).counts).toMatchObject({ skipped: 1 });
    expect((await look(world, { at: at(60) })).counts).toMatchObject({ waiting: 1, skipped: 0 });
    expect(await target(world, 'late')).toMatchObject({ status: 'waiting', seenAt: at(60) });
  });

  it('counts a set as upgraded that runs the version already, and is done', async () => {
    const world = await region(['new'], { version: NEW_VERSION });
    expect(await look(world)).toMatchObject({ done: true, start: [], counts: { upgraded: 1 } });
  });
});

describe('triggers (D6)', () => {
  it('come 30 to 60 minutes after the set was seen, and not before', async () => {
    const many = Array.from({ length: 12 }, (_, i) => `s${i}`);
    const world = await region(many);
    const first = await look(world);
    expect(first.start).toEqual([]);
    const targets = await world.ledger.targets.list({ rolloutId: ROLLOUT_ID });
    const delays = targets.map(({ triggerAt }) => triggerAt - at(0));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(EARLIEST);
    expect(Math.max(...delays)).toBeLessThanOrEqual(LATEST);
    expect(new Set(delays).size, 'they are spread').toBeGreaterThan(6);
    expect(first.nextAt).toBe(at(0) + Math.min(...delays));

    expect((await look(world, { at: (first.nextAt as number) - 1 })).start).toEqual([]);
    expect((await look(world, { at: first.nextAt as number })).start).toHaveLength(1);
    expect((await look(world, { at: ALL_DUE, mine: [] })).counts.waiting).toBe(0);
  });

  it('of the first upgrade ever come within 3 hours of when automatic upgrades were switched on', async () => {
    const since = at(0) - 3 * HOUR + 10 * MINUTE;
    const world = await region(['young'], { automaticOSUpgradeSince: isoTime(since) });
    await look(world);
    // Ten minutes are left of the three hours: fewer than the usual delay.
    expect((await target(world, 'young'))?.triggerAt).toBe(at(0) + 10 * MINUTE);
  });

  it('stay as they were when the region looks again', async () => {
    const world = await region(['a']);
    await look(world);
    const before = await target(world, 'a');
    await look(world, { at: at(300) });
    expect(await target(world, 'a')).toEqual(before);
  });
});

describe('which sets are started', () => {
  it('are as many as the window allows, and the next when one of them is done', async () => {
    const settings = { ...DEFAULT_SETTINGS, maxConcurrentScaleSets: 2 };
    const world = await region(['a', 'b', 'c'], {}, { rollout: { settings } });
    await look(world);
    const first = await look(world, { at: ALL_DUE });
    expect(first.start).toHaveLength(2);
    expect(first.counts).toMatchObject({ upgrading: 2, waiting: 1 });
    const mine = first.start.map(({ scaleSetId }) => scaleSetId);
    expect((await look(world, { at: ALL_DUE, mine })).start).toEqual([]);
    await world.ledger.targets.update(
      { rolloutId: ROLLOUT_ID, scaleSetId: mine[0] as string },
      { status: 'upgraded' },
    );
    const next = await look(world, { at: ALL_DUE, mine: mine.slice(1) });
    expect(next.start).toHaveLength(1);
    expect(next).toMatchObject({ done: false, counts: { upgraded: 1, upgrading: 2, waiting: 0 } });
  });

  it('include one that was begun and whose workflow is gone; one that still runs is only watched', async () => {
    const world = await region(['gone', 'runs']);
    await look(world);
    expect(names(await look(world, { at: ALL_DUE }))).toEqual(['gone', 'runs']);
    // The region's workflow was terminated as well: its next run has started nothing.
    world.directory.open.add(scaleSetRolloutId(testSetId('runs')));
    const again = await look(world, { at: ALL_DUE + MINUTE });
    expect(names(again)).toEqual(['gone']);
    expect(again.strangers).toEqual([testSetId('runs')]);
    expect(again.counts).toMatchObject({ upgrading: 2 });
  });

  it('leave out one whose workflow failed too often: it is given up, and the region goes on', async () => {
    const world = await region(['bad', 'good']);
    await look(world);
    await look(world, { at: ALL_DUE });
    const later = await look(world, { at: ALL_DUE, mine: [testSetId('good')], giveUp: [testSetId('bad')] });
    expect(later).toMatchObject({ start: [], done: false, counts: { stopped: 1, upgrading: 1 } });
    expect((await target(world, 'bad'))?.reason?.code).toBe('WorkflowFailed');
  });

  it('are none while a geo-pair of the region is being upgraded (D1); it is woken when that is done', async () => {
    const sets = ['eastus', 'westus'].map((name) => ({ name, region: name, capacity: 3 }));
    const world = await activityWorld(sets);
    const west = { region: 'westus', workflowId: `${ROLLOUT_ID}/phase-1/westus` };
    for (const change of [{}, west]) await look(world, change);
    world.directory.open.add(regionLook().workflowId).add(west.workflowId);
    expect(names(await look(world, { at: ALL_DUE }))).toEqual(['eastus']);
    expect(await look(world, { ...west, at: ALL_DUE })).toMatchObject({
      start: [],
      waitingFor: expect.stringContaining('its geo-pair: eastus'),
    });
    const ended = { rolloutId: ROLLOUT_ID, scaleSetId: testSetId('eastus') };
    await world.ledger.targets.update(ended, { status: 'upgraded' });
    expect(await look(world, { at: ALL_DUE + MINUTE })).toMatchObject({ done: true });
    expect(world.directory.woken).toEqual([west.workflowId]);
    expect(names(await look(world, { ...west, at: ALL_DUE + MINUTE }))).toEqual(['westus']);
  });
});

describe('the right to upgrade in a region of a geo-pair (D1)', () => {
  const holders = async ({ ledger }: ActivityWorld) =>
    (await ledger.claims.list({ group: 'geo-pairs' })).map(({ value }) => value);
  const done = ({ ledger }: ActivityWorld, name: string) =>
    ledger.targets.update({ rolloutId: ROLLOUT_ID, scaleSetId: testSetId(name) }, { status: 'upgraded' });

  it('is held from the first batch to the last, also while no set is at work in between', async () => {
    const settings = { ...DEFAULT_SETTINGS, maxConcurrentScaleSets: 1 };
    const world = await region(['a', 'b'], {}, { rollout: { settings } });
    await look(world);
    expect(await holders(world)).toEqual([]);
    const [first] = names(await look(world, { at: ALL_DUE }));
    expect(await holders(world)).toEqual(['eastus']);
    const second = first === 'a' ? 'b' : 'a';
    const later = { rolloutId: ROLLOUT_ID, scaleSetId: testSetId(second) };
    await world.ledger.targets.update(later, { triggerAt: ALL_DUE + HOUR });
    await done(world, first ?? '');
    expect(await look(world, { at: ALL_DUE + MINUTE })).toMatchObject({ start: [], done: false });
    expect(await holders(world)).toEqual(['eastus']);
    await look(world, { at: ALL_DUE + HOUR });
    await done(world, second);
    expect(await look(world, { at: ALL_DUE + HOUR })).toMatchObject({ done: true });
    expect(await holders(world)).toEqual([]);
  });

  it('is kept by a paused region while a set is at work, and given up when none is', async () => {
    const world = await region(['a', 'b']);
    await look(world);
    const { triggerAt = 0 } = (await target(world, 'a')) ?? {};
    await world.ledger.targets.update(
      { rolloutId: ROLLOUT_ID, scaleSetId: testSetId('b') },
      { triggerAt: ALL_DUE + HOUR },
    );
    expect(names(await look(world, { at: triggerAt }))).toEqual(['a']);
    await world.ledger.orders.set({ who: 'ada', why: 'x', at: at(0), scope: 'all', state: 'paused' });
    await look(world, { at: triggerAt, mine: [testSetId('a')] });
    expect(await holders(world)).toEqual(['eastus']);
    await done(world, 'a');
    await look(world, { at: triggerAt });
    expect(await holders(world)).toEqual([]);
  });
});

describe('orders', () => {
  const order = { who: 'ada', why: 'incident', at: at(0) };

  it('a pause starts nothing more, and the region gives way to its geo-pair', async () => {
    const world = await region(['a']);
    await look(world);
    await world.ledger.orders.set({ ...order, scope: 'all', state: 'paused' });
    expect(await look(world, { at: ALL_DUE })).toMatchObject({
      start: [],
      done: false,
      waitingFor: 'resume (paused by ada: incident)',
    });
    await world.ledger.orders.set({ ...order, scope: 'all', state: 'running' });
    expect(names(await look(world, { at: ALL_DUE }))).toEqual(['a']);
  });

  it('a cancel stops what waits at once, and is done when what runs has ended', async () => {
    const settings = { ...DEFAULT_SETTINGS, maxConcurrentScaleSets: 1 };
    const world = await region(['a', 'b'], {}, { rollout: { settings } });
    await look(world);
    const { start } = await look(world, { at: ALL_DUE });
    await world.ledger.orders.set({ ...order, scope: `rollout:${ROLLOUT_ID}`, state: 'cancelled' });
    const mine = start.map(({ scaleSetId }) => scaleSetId);
    const during = await look(world, { at: ALL_DUE, mine });
    expect(during).toMatchObject({ done: false, start: [], counts: { upgrading: 1, stopped: 1 } });
    expect(during.cancelled).toEqual({ code: 'Cancelled', message: 'Cancelled by ada: incident' });
    const ended = { rolloutId: ROLLOUT_ID, scaleSetId: mine[0] as string };
    await world.ledger.targets.update(ended, { status: 'stopped' });
    expect((await look(world, { at: ALL_DUE })).done).toBe(true);
  });
});

describe('a retry after a halt (D2)', () => {
  it('takes the sets that ended once more, without waiting for a trigger', async () => {
    const world = await region(['failed']);
    await look(world);
    await look(world, { at: ALL_DUE });
    const key = { rolloutId: ROLLOUT_ID, scaleSetId: testSetId('failed') };
    await world.ledger.targets.update(key, { status: 'stopped', reason: { code: 'x', message: 'y' } });
    expect((await look(world, { at: ALL_DUE })).done).toBe(true);
    const retry = await look(world, { at: ALL_DUE + HOUR, round: 2 });
    expect(names(retry)).toEqual(['failed']);
  });
});
