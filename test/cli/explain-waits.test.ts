import { describe, expect, it } from 'vitest';
import { HOUR, isoTime, MINUTE } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { ALL, regionScope } from '../../src/domain/scopes.ts';
import type { NewRollout } from '../../src/ledger/port.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import {
  QUICK,
  rehearsalOf,
  removeWorldsAfterEach,
  start,
  START,
  type RehearsalWorld,
} from '../rehearsal/support.ts';
import { NEW_VERSION, TARGET, type TestSet } from '../support/fleet.ts';
import { explainNow, type Explained } from './explained.ts';

removeWorldsAfterEach();

const ID = imageRolloutId(TARGET, 1);
const web: TestSet = { name: 'web', region: 'eastus', capacity: 10 };
const usual = { ...DEFAULT_SETTINGS, firstTriggerDelay: 0 };

/** A rollout over one region after the other, which is looked at `after` so long. */
async function lookAt(
  world: RehearsalWorld,
  regions: string[][],
  after: number,
  look: () => Promise<void>,
  change: Partial<NewRollout> = {},
): Promise<void> {
  await start(world, regions, change);
  world.rehearsal.at(START + after, look);
  await world.rehearsal.run();
}

/** The same, for what one set is told. */
async function told(
  sets: TestSet[],
  regions: string[][],
  after: number,
  set: string,
  change: Partial<NewRollout> = {},
): Promise<Explained> {
  const world = await rehearsalOf(sets);
  const seen: Explained[] = [];
  await lookAt(world, regions, after, async () => void seen.push(await explainNow(world, [set])), change);
  return seen[0] as Explained;
}

describe('explain tells what a set waits for, since when and until when', () => {
  it('its trigger (D6), and that a person need not wait for it (D8)', async () => {
    const { json, text } = await told([web], [['eastus']], 10 * MINUTE, 'web', { settings: usual });
    const [wait] = json.waitsFor;
    expect(json.verdict).toEqual({
      kind: 'waiting',
      text: `is not yet upgraded: waits for its trigger, since ${isoTime(START)} until ${String(wait?.until)}`,
    });
    expect(json.waitsFor).toMatchObject([
      { kind: 'trigger', rule: 'D6', where: 'web', since: isoTime(START), command: null },
    ]);
    const left = Date.parse(String(wait?.until)) - START;
    expect(left).toBeGreaterThanOrEqual(30 * MINUTE);
    expect(left).toBeLessThanOrEqual(60 * MINUTE);
    expect(json.rollout).toMatchObject({
      id: ID,
      phase: { number: 1, of: 1 },
      target: { status: 'waiting' },
    });
    expect(text).toMatch(
      /Waits for:\n {2}D6 {2}web: its trigger\n {6}since 2026-01-06T10:00:00\.000Z \(10 min ago\), until .* \(in \d+ min\)\n/,
    );
    expect(json.advice.map(({ command }) => command)).toEqual(['rollouts start --scale-set web']);
  });

  it('its phase, and what the one before it waits for (D2, D3)', async () => {
    const api = { ...web, name: 'api', region: 'swedencentral' };
    const settings = { ...QUICK, bakeTime: HOUR };
    const { json } = await told([web, api], [['eastus'], ['swedencentral']], HOUR, 'api', { settings });
    expect(json.waitsFor).toMatchObject([
      {
        ...{ kind: 'phase', rule: 'D2', where: 'rollout', until: null },
        what: 'phase 2 (phase 2): phase 1 (phase 1) bakes',
      },
      { kind: 'bake', rule: 'D3', where: 'phase 1', until: expect.any(String) as string },
    ]);
  });

  it('every pause above it, each with who, why and the command that lifts it', async () => {
    const world = await rehearsalOf([web]);
    const seen: Explained[] = [];
    const paused = { state: 'paused' as const, at: START + MINUTE };
    const scope = regionScope(ID, 'eastus');
    await lookAt(
      world,
      [['eastus']],
      10 * MINUTE,
      async () => {
        await world.ledger.orders.set({ ...paused, scope: ALL, who: 'ann', why: 'freeze' });
        await world.ledger.orders.set({ ...paused, scope, who: 'bob', why: 'incident' });
        seen.push(await explainNow(world, ['web']));
        const lifted = { state: 'running' as const, who: 'ann', why: 'over', at: START + 11 * MINUTE };
        await world.ledger.orders.set({ ...lifted, scope: ALL });
        await world.ledger.orders.set({ ...lifted, scope });
      },
      { settings: usual },
    );
    const since = isoTime(START + MINUTE);
    expect(seen[0]?.json.waitsFor).toMatchObject([
      {
        ...{ kind: 'resume', where: 'everything', what: 'a resume (paused by ann: freeze)', since },
        command: 'rollouts resume --all --why TEXT',
      },
      {
        ...{ kind: 'resume', where: 'eastus', what: 'a resume (paused by bob: incident)', since },
        command: `rollouts resume ${ID} --region eastus --why TEXT`,
      },
      { kind: 'trigger' },
    ]);
    // A start by hand would be held up as well.
    expect(seen[0]?.json.advice).toHaveLength(2);
  });

  it('its geo-pair, and who has it (D1)', async () => {
    const focal = { publisher: 'Canonical', offer: '0001-com-ubuntu-server-focal', sku: '20_04-lts' };
    const version = '20.04.2';
    const other = { ...web, name: 'api', region: 'westus', image: focal, version: '20.04.1' };
    const jammy = { publisher: 'Canonical', offer: '0001-com-ubuntu-server-jammy', sku: '22_04-lts' };
    const versions = [{ version: '22.04.202511010' }, { version: NEW_VERSION }];
    const images = [
      { ...jammy, versions },
      { ...focal, versions: [{ version: '20.04.1' }, { version }] },
    ];
    const world = await rehearsalOf([web, other], { images });
    const target = { image: { kind: 'platform' as const, ...focal }, version };
    const settings = { ...QUICK, triggerDelay: { min: 2 * MINUTE, max: 2 * MINUTE } };
    const seen: Explained[] = [];
    await start(world, [['eastus']]);
    await lookAt(
      world,
      [['westus']],
      5 * MINUTE,
      async () => void seen.push(await explainNow(world, ['api'])),
      { id: imageRolloutId(target, 1), target, settings },
    );
    expect(seen[0]?.json.waitsFor).toMatchObject([
      {
        ...{ kind: 'geoPair', rule: 'D1', where: 'westus', what: 'its geo-pair eastus' },
        behind: [{ name: 'eastus', holds: 'eastus', workflowId: `${ID}/phase-1/eastus` }],
      },
    ]);
    expect(seen[0]?.text).toMatch(/ {6}eastus has VMs upgrading, since .* \(rollout\/.*\/eastus\)\n/s);
  });

  it('its zone, which one is open, and who has it (D4)', async () => {
    const sets = [
      { ...web, zones: ['1'] },
      { ...web, name: 'api', zones: ['2'] },
    ];
    const world = await rehearsalOf(sets);
    const seen: Explained[] = [];
    const look = async () => {
      for (const name of ['web', 'api']) seen.push(await explainNow(world, [name]));
    };
    await lookAt(world, [['eastus']], 3 * MINUTE, look);
    const waiting = seen.find(({ json }) => json.waitsFor.length > 0)?.json;
    const working = seen.find(({ json }) => json.waitsFor.length === 0)?.json;
    expect(working?.verdict.text).toMatch(
      /^is being upgraded \(batch \d, zone \d, update domain \d, \d of 10 done\)$/,
    );
    expect(waiting?.waitsFor).toMatchObject([
      {
        ...{ kind: 'zone', rule: 'D4', what: expect.stringMatching(/^its turn in zone [12]$/) as string },
        behind: [{ name: working?.scaleSet.name, holds: expect.stringMatching(/^[12]$/) as string }],
      },
    ]);
    expect(waiting?.verdict).toMatchObject({
      kind: 'upgrading',
      text: expect.stringContaining('waits for its turn in zone') as string,
    });
  });

  it('the pause between its batches (B9)', async () => {
    const rollingUpgradePolicy = { pauseTimeBetweenBatches: 'PT2H' };
    const { json } = await told([{ ...web, rollingUpgradePolicy }], [['eastus']], HOUR, 'web');
    expect(json.waitsFor).toMatchObject([
      { kind: 'batchPause', rule: 'B9', until: expect.any(String) as string },
    ]);
    expect(json.verdict.text).toMatch(
      /^is being upgraded \(waits for the pause between batches, 2 of 10 done\)$/,
    );
  });

  it('room among the scale sets of its region', async () => {
    const sets = [web, { ...web, name: 'api' }];
    const world = await rehearsalOf(sets);
    const seen: Explained[] = [];
    const look = async () => {
      for (const name of ['web', 'api']) seen.push(await explainNow(world, [name]));
    };
    await lookAt(world, [['eastus']], 5 * MINUTE, look, {
      settings: { ...QUICK, maxConcurrentScaleSets: 1 },
    });
    const waits = seen.flatMap(({ json }) => json.waitsFor);
    expect(waits).toMatchObject([
      { kind: 'room', what: 'room in eastus: 1 scale set under way, 1 at a time' },
    ]);
  });

  const optIn = async (world: RehearsalWorld, id: string, enableAutomaticOSUpgrade: boolean) => {
    const model = await world.fleet.model(id);
    const upgradePolicy = { mode: 'Rolling', automaticOSUpgradePolicy: { enableAutomaticOSUpgrade } };
    const properties = { ...(model?.['properties'] as object), upgradePolicy };
    await world.fleet.writeModel({
      ...{ id, apiVersion: '2024-11-01', at: world.rehearsal.now },
      model: { ...model, properties },
    });
  };

  it('nothing, when it was opted out while it waited (C1)', async () => {
    const world = await rehearsalOf([web]);
    const seen: Explained[] = [];
    const look = async () => {
      await optIn(world, world.scaleSetIds[0] as string, false);
      seen.push(await explainNow(world, ['web']));
    };
    await lookAt(world, [['eastus']], 10 * MINUTE, look, { settings: usual });
    expect(seen[0]?.json).toMatchObject({
      ...{ verdict: { kind: 'notUpgraded' }, waitsFor: [], rollout: { target: { status: 'waiting' } } },
      reasons: [{ code: 'AutomaticOSUpgradeDisabled' }],
    });
  });

  it('the next look of its region, when it was opted out in mid-upgrade and in again (C1, D6)', async () => {
    const world = await rehearsalOf([web, { ...web, name: 'busy' }]);
    const [id = ''] = world.scaleSetIds;
    const seen: Explained[] = [];
    world.rehearsal.at(START + 3 * MINUTE, () => optIn(world, id, false));
    await lookAt(world, [['eastus']], 8 * MINUTE, async () => {
      seen.push(await explainNow(world, ['web']));
      await optIn(world, id, true);
      seen.push(await explainNow(world, ['web']));
    });
    const [out, back] = seen.map(({ json }) => json);
    expect(out).toMatchObject({
      verdict: { kind: 'notUpgraded' },
      attempt: { reason: { code: 'OptedOut' } },
    });
    expect(out?.reasons.map(({ code }) => code)).toEqual(['AutomaticOSUpgradeDisabled']);
    expect(back?.verdict.kind).toBe('waiting');
    expect(back?.waitsFor).toMatchObject([
      { kind: 'look', where: 'eastus', what: 'the next look of its region, within 15 min' },
    ]);
  });
});

describe('explain tells how an upgrade goes, and how it ended', () => {
  it('that it is being upgraded, and where each instance stands (B3)', async () => {
    const world = await rehearsalOf([{ ...web, zones: ['1', '2'] }]);
    const seen: Explained[] = [];
    const look = async () => {
      seen.push(await explainNow(world, ['web']));
      seen.push(await explainNow(world, ['web/9']));
    };
    await lookAt(world, [['eastus']], 3 * MINUTE, look);
    const [set, one] = seen.map(({ json }) => json);
    expect(set?.verdict.kind).toBe('upgrading');
    expect(set?.attempt?.batch).toMatchObject({ zone: '1' });
    const codes = set?.instances.groups.map(({ code }) => code);
    expect(codes?.slice(0, 2)).toEqual(['inBatch', 'pending']);
    expect(one?.instance).toMatchObject({ state: 'pending', turn: { zone: '2', updateDomain: 4 } });
    await world.rehearsal.run();
    const { json, text } = await explainNow(world, ['web']);
    expect(json.verdict).toEqual({
      kind: 'upgraded',
      text: `is upgraded: all 10 instances run ${NEW_VERSION}`,
    });
    expect(text).toContain(`web is upgraded: all 10 instances run ${NEW_VERSION}.\n`);
    expect(json.temporal).toEqual({ kind: 'notAsked' });
  });

  it('that it faulted, that its rollout is halted, and the decision that a person has to make (B7, D2)', async () => {
    const bad = ['0', '1', '2'];
    const world = await rehearsalOf([web, { ...web, name: 'api', region: 'westus' }], {
      faults: [{ kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'web', instances: bad }],
    });
    await start(world, [['eastus'], ['westus']]);
    expect(await world.rehearsal.run()).toBe('waitsForDecision');
    const { json, text } = await explainNow(world, ['web']);
    const code = 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade';
    expect(json.verdict).toEqual({ kind: 'stopped', text: `was stopped: ${code}` });
    expect(json.reasons).toMatchObject([{ code, rule: 'B7' }]);
    const decide = `rollouts decide ${ID} proceed|retry|abort --why TEXT`;
    expect(json.waitsFor).toMatchObject([{ kind: 'decision', rule: 'D2', command: decide }]);
    expect(text).toContain(`    ${decide}\n`);
    const failed = json.instances.groups.find((group) => group.code === 'failed');
    expect(failed?.text).toMatch(/^not on the version: restored in attempt 1 \(HealthTimeout: /);
    const next = await explainNow(world, ['api']);
    expect(next.json.waitsFor.map(({ kind }) => kind)).toEqual(['decision', 'phase']);
  });

  it('that its turn is over, although it could be upgraded now (D6)', async () => {
    const world = await rehearsalOf([web, { ...web, name: 'api', region: 'westus' }]);
    const [id = ''] = world.scaleSetIds;
    const seen: Explained[] = [];
    await world.fleet.changeInstances(id, ['3'], { power: 'stopped' }, START);
    const settings = { ...QUICK, failureTolerancePercent: 50 };
    await lookAt(
      world,
      [['eastus'], ['westus']],
      2 * HOUR,
      async () => {
        seen.push(await explainNow(world, ['web']));
        await world.fleet.changeInstances(id, ['3'], { power: 'running' }, world.rehearsal.now);
        seen.push(await explainNow(world, ['web']));
      },
      { settings: { ...settings, triggerDelay: { min: HOUR, max: HOUR } } },
    );
    expect(seen[0]?.json.verdict).toEqual({
      kind: 'leftAlone',
      text: 'is upgraded but for 1 of 10 instances, which are left alone: 1 stopped',
    });
    expect(seen[1]?.json.reasons).toMatchObject([
      { code: 'TurnOver', command: 'rollouts start --scale-set web' },
    ]);
    const ended = await explainNow(world, ['web']);
    expect(ended.json.reasons).toMatchObject([{ code: 'RolloutEnded' }]);
  });
});
