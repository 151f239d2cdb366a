import { describe, expect, it } from 'vitest';
import type { RegionLook } from '../../src/activities/types.ts';
import { ruleScope, type RuleScope } from '../../src/domain/calendar.ts';
import { HOUR, MINUTE, SECOND, type Instant } from '../../src/domain/clock.ts';
import { WEEKDAYS } from '../../src/domain/maintenance-window.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { testSetId } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  activityWorld,
  afterFirstBatch,
  at,
  configuredBatch,
  oneSet,
  recordRollout,
  regionLook,
  removeWorldsAfterEach,
  setLook,
  type ActivityWorld,
} from './support.ts';

removeWorldsAfterEach();

const by = { who: 'ada', why: 'so agreed', at: at(0) };
const ALL: RuleScope = { kind: 'all' };
const POLL = DEFAULT_SETTINGS.fallbackPoll;

const freeze = ({ ledger }: ActivityWorld, scope: RuleScope, from: Instant, until: Instant) =>
  ledger.calendar.add({ kind: 'freeze', scope: ruleScope(scope), from, until, ...by });
const override = ({ ledger }: ActivityWorld, scope: RuleScope, until: Instant) =>
  ledger.calendar.add({ kind: 'override', scope: ruleScope(scope), until, ...by });
/** Daily from this time in UTC, for an hour. `at(0)` is 11:00. */
const window = ({ ledger }: ActivityWorld, scope: RuleScope, start: string) => {
  const length = { duration: HOUR };
  const days = [...WEEKDAYS];
  return ledger.calendar.add({
    ...{ kind: 'window', scope: ruleScope(scope), window: { days, start, zone: 'UTC', length } },
    ...by,
  });
};

describe('a scale set', () => {
  it('begins its first batch in its window, and says until when it waits', async () => {
    const { world, id } = await oneSet({ zones: ['1', '2'] });
    await window(world, { kind: 'scaleSet', scaleSetId: id }, '12:00');
    const waits = await world.activities.lookAtScaleSet(setLook(id));
    expect(waits).toMatchObject({
      kind: 'wait',
      what: 'a maintenance window of scale set web in fleet (daily 12:00 for 1 h 00 min UTC)',
      until: at(3_600),
      lookAgainAt: at(0) + POLL,
    });
    const { attempt } = waits;
    expect(await world.activities.lookAtScaleSet(setLook(id, { attempt, at: at(3_599) }))).toMatchObject({
      kind: 'wait',
      lookAgainAt: at(3_600),
    });
    expect(await world.activities.lookAtScaleSet(setLook(id, { attempt, at: at(3_600) }))).toMatchObject({
      kind: 'batch',
      batch: 1,
    });
  });

  it('finishes its batch in spite of a freeze, leaves its zone, and goes on when that is over (D4)', async () => {
    const { world, id } = await oneSet({ zones: ['1', '2'] });
    const next = await afterFirstBatch(world, id);
    expect(await world.ledger.claims.list()).toMatchObject([{ value: '1' }]);
    await freeze(world, ALL, at(60), next.at + HOUR);
    expect(await world.activities.lookAtScaleSet(next)).toMatchObject({
      kind: 'wait',
      what: 'the end of freeze-1 of everything (ada: so agreed)',
      until: next.at + HOUR,
    });
    expect(await world.ledger.claims.list()).toEqual([]);
    const later = { ...next, at: next.at + HOUR };
    expect(await world.activities.lookAtScaleSet(later)).toMatchObject({
      kind: 'batch',
      batch: 2,
      zone: '1',
    });
  });

  it('begins a batch all the same where that was overridden, which is on record', async () => {
    const { world, id } = await oneSet();
    await freeze(world, ALL, at(0), at(10_000));
    await override(world, { kind: 'rollout', rolloutId: ROLLOUT_ID }, at(100));
    const { look } = await configuredBatch(world, id);
    const lines = await world.ledger.journal.read({ rolloutId: ROLLOUT_ID });
    const begun = lines.find(({ operation }) => operation === 'batch');
    expect(begun?.observed).toMatchObject({ override: 'override-2', calendar: 2 });
    const next = setLook(id, { attempt: look.attempt, at: at(101) });
    // The batch under way is finished after its end.
    expect(await world.activities.lookAtScaleSet(next)).toMatchObject({ kind: 'batch', batch: 1 });
  });

  it('looks again if windows are changed between its look and the record of its batch', async () => {
    const { world, id } = await oneSet();
    const { calendar } = world.ledger;
    world.ledger.calendar = {
      ...calendar,
      read: async () => {
        world.ledger.calendar = calendar;
        const reading = await calendar.read();
        await freeze(world, ALL, at(0), at(1_000));
        return reading;
      },
    };
    expect(await world.activities.lookAtScaleSet(setLook(id))).toMatchObject({
      kind: 'wait',
      what: 'another look: windows or freezes have just been changed',
      until: at(0),
    });
    expect(await world.ledger.attempts.openOf(id)).not.toBeNull();
    expect((await world.ledger.attempts.listOf({})).map(({ progress }) => progress)).toMatchObject([
      { inProgressInstanceCount: 0 },
    ]);
  });

  it('that a person upgrades or reverts is not bound (D8)', async () => {
    const { world, id } = await oneSet();
    await freeze(world, ALL, at(0), at(10_000));
    const manual = await recordRollout(world, { id: 'by-hand', kind: 'manual', phases: [] });
    const byHand = setLook(id, { rolloutId: manual.id, phase: null });
    expect(await world.activities.lookAtScaleSet(byHand)).toMatchObject({ kind: 'batch' });
  });
});

describe('a region', () => {
  /** Long after every trigger of a first look. */
  const DUE = at(0) + DEFAULT_SETTINGS.triggerDelay.max;
  const look = (world: ActivityWorld, moment: Instant, region = 'eastus', mine: string[] = []) =>
    world.activities.lookAtRegion(
      regionLook({ region, workflowId: `${ROLLOUT_ID}/phase-1/${region}`, at: moment, mine }),
    );
  const names = ({ start }: RegionLook) => start.map(({ name }) => name).toSorted();
  const holders = async ({ ledger }: ActivityWorld) =>
    (await ledger.claims.list({ group: 'geo-pairs' })).map(({ value }) => value);
  const sets = (...all: [string, string][]) =>
    activityWorld(all.map(([name, region]) => ({ name, region, capacity: 3 })));

  it('begins no set while it is closed, and looks again when the first of them may begin', async () => {
    const world = await sets(['a', 'eastus'], ['b', 'eastus']);
    await look(world, at(0));
    await window(world, { kind: 'scaleSet', scaleSetId: testSetId('a') }, '15:00');
    await window(world, { kind: 'region', region: 'eastus' }, '17:00');
    const closed = await look(world, DUE);
    expect(closed).toMatchObject({
      start: [],
      done: false,
      counts: { waiting: 2, upgrading: 0 },
      waitingFor: 'a maintenance window of scale set a in fleet (daily 15:00 for 1 h 00 min UTC)',
      nextAt: at(0) + 4 * HOUR,
    });
    const open = await look(world, at(0) + 4 * HOUR);
    expect(names(open)).toEqual(['a']);
    expect(open).toMatchObject({ counts: { waiting: 1, upgrading: 1 }, nextAt: at(0) + 6 * HOUR });
    expect(open.waitingFor).toBe('the upgrades of its scale sets');
  });

  it('looks for the next trigger although another set is held back for longer', async () => {
    const world = await sets(['a', 'eastus'], ['b', 'eastus']);
    await look(world, at(0));
    const later = { rolloutId: ROLLOUT_ID, scaleSetId: testSetId('b') };
    await world.ledger.targets.update(later, { triggerAt: DUE + 5 * MINUTE });
    await freeze(world, { kind: 'scaleSet', scaleSetId: testSetId('a') }, at(0), DUE + HOUR);
    expect(await look(world, DUE)).toMatchObject({
      start: [],
      waitingFor: 'the next trigger',
      nextAt: DUE + 5 * MINUTE,
    });
    expect(names(await look(world, DUE + 5 * MINUTE))).toEqual(['b']);
  });

  it('that is closed asks for no turn in its geo-pair, and gives up one that it has or waits for (D1)', async () => {
    const world = await sets(['a', 'eastus'], ['b', 'westus']);
    for (const region of ['eastus', 'westus']) {
      await look(world, at(0), region);
      world.directory.open.add(`${ROLLOUT_ID}/phase-1/${region}`);
    }
    const east: RuleScope = { kind: 'region', region: 'eastus' };
    const frozen = await freeze(world, east, at(0), DUE + HOUR);
    await look(world, DUE);
    expect(await holders(world)).toEqual([]);
    expect(names(await look(world, DUE, 'westus'))).toEqual(['b']);

    await world.ledger.calendar.remove(frozen.id, by);
    expect((await look(world, DUE + MINUTE)).waitingFor).toContain('its geo-pair: westus');
    expect(new Set(await holders(world))).toEqual(new Set(['westus', null]));
    await freeze(world, east, at(0), DUE + HOUR);
    expect(await look(world, DUE + 2 * MINUTE)).toMatchObject({ nextAt: DUE + HOUR });
    expect(await holders(world)).toEqual(['westus']);
  });

  it('keeps its turn while a set is half way, whose zone others may have (D1)', async () => {
    const world = await sets(['a', 'eastus'], ['b', 'eastus']);
    await look(world, at(0));
    const later = { rolloutId: ROLLOUT_ID, scaleSetId: testSetId('b') };
    await world.ledger.targets.update(later, { triggerAt: DUE + SECOND });
    await look(world, DUE);
    await freeze(world, ALL, at(0), DUE + HOUR);
    const mine = [testSetId('a')];
    expect(await look(world, DUE + MINUTE, 'eastus', mine)).toMatchObject({ start: [], nextAt: DUE + HOUR });
    expect(await holders(world)).toEqual(['eastus']);
  });

  it('begins what is overridden', async () => {
    const world = await sets(['a', 'eastus'], ['b', 'eastus']);
    await look(world, at(0));
    await freeze(world, ALL, at(0), DUE + HOUR);
    await override(world, { kind: 'scaleSet', scaleSetId: testSetId('b') }, DUE + MINUTE);
    expect(names(await look(world, DUE))).toEqual(['b']);
  });

  it('of a revert is not bound', async () => {
    const world = await activityWorld([{ name: 'a', region: 'eastus', capacity: 3 }], {
      rollout: { action: 'revert' },
    });
    await freeze(world, ALL, at(0), DUE + HOUR);
    const answer = await look(world, DUE);
    expect(answer.waitingFor).not.toContain('freeze');
  });
});
