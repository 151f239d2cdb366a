import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planRollout } from '../../src/client/index.ts';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import { EPOCH, NEW_VERSION, OLD_VERSION, testSetId } from '../support/fleet.ts';
import { recordAttempt } from './recorded.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

let space: Workspace;
let rollouts: TestRollouts;

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space);
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });

describe('planRollout', () => {
  it('plans phases, regions, sets and batches, and changes nothing', async () => {
    const plan = await planRollout(rollouts, { image: IMAGE.toLowerCase() });
    expect(plan).toMatchObject({
      rolloutId: `rollout/${IMAGE.toLowerCase()}/${NEW_VERSION}/1`,
      kind: 'platform',
      generation: 1,
      target: { version: NEW_VERSION },
      totals: { regions: 3, scaleSets: 3, instances: 24, toUpgrade: 24 },
    });
    expect(plan.phases.flatMap(({ regionPlans }) => regionPlans.map(({ name }) => name))).toEqual([
      'swedencentral',
      'eastus',
      'westus',
    ]);
    const web = plan.phases[1]?.regionPlans[0]?.scaleSetPlans[0];
    expect(web).toMatchObject({ name: 'web', instances: 9, toUpgrade: 9 });
    expect(web?.batches).toHaveLength(9);
    expect(web?.batches[0]).toEqual({ zone: '1', updateDomain: 0, size: 1 });
    expect(await rollouts.ledger.rollouts.list()).toEqual([]);
    expect(rollouts.temporalServer.workflows.size).toBe(0);
  });

  it('says who is left out and why', async () => {
    const { skipped } = await planRollout(rollouts, { image: IMAGE });
    expect(skipped).toMatchObject([
      {
        name: 'legacy',
        region: 'swedencentral',
        reasons: [{ code: 'AutomaticOSUpgradeDisabled', rule: 'C1' }],
      },
    ]);
  });

  it('estimates each phase: triggers, batches, bake', async () => {
    const plan = await planRollout(rollouts, { image: IMAGE, settings: { bakeTime: 2 * HOUR } });
    const [first, second] = plan.phases;
    expect(first?.start).toBe(plan.startAt);
    expect((first?.bakeEnd ?? 0) - (first?.end ?? 0)).toBeGreaterThanOrEqual(2 * HOUR);
    expect(second?.start).toBe(first?.bakeEnd);
    const trigger = first?.regionPlans[0]?.scaleSetPlans[0]?.triggerAt ?? 0;
    expect(trigger - plan.startAt).toBeGreaterThanOrEqual(30 * MINUTE);
    expect(trigger - plan.startAt).toBeLessThanOrEqual(60 * MINUTE);
    expect(plan.virtualDurationMs).toBe(plan.endAt - plan.startAt);
    expect(plan.wallDurationMs).toBe(plan.virtualDurationMs);
  });

  it('keeps to the regions named', async () => {
    const plan = await planRollout(rollouts, { image: IMAGE, regions: ['West US'] });
    expect(plan.phases).toMatchObject([{ regionPlans: [{ name: 'westus' }] }]);
    expect(plan.totals).toMatchObject({ regions: 1, scaleSets: 1, instances: 10, batches: 5 });
  });

  it('takes phases that a person wrote', async () => {
    const phases = [
      { name: 'first', regions: ['West US', 'Sweden Central'] },
      { name: 'second', regions: ['eastus'] },
    ];
    const plan = await planRollout(rollouts, { image: IMAGE, phases });
    expect(
      plan.phases.map(({ name, regionPlans }) => [name, ...regionPlans.map((region) => region.name)]),
    ).toEqual([
      ['first', 'swedencentral', 'westus'],
      ['second', 'eastus'],
    ]);
  });

  it('warns of an older version, and when there is nothing left to upgrade', async () => {
    const { totals, warnings } = await planRollout(rollouts, { image: IMAGE, version: OLD_VERSION });
    expect(totals).toMatchObject({ instances: 24, toUpgrade: 0, batches: 0 });
    expect(warnings).toEqual([
      'Every VM that may be upgraded runs this version already.',
      `${OLD_VERSION} is not the newest version: ${NEW_VERSION} is offered.`,
    ]);
  });

  it('promises no batch for an instance that no upgrade will touch, and says which and why (B1, B3, C9)', async () => {
    const api = testSetId('api');
    await recordAttempt(rollouts, api, { outcomes: { '0': 'restoreFailed', '1': 'restoreFailed' } });
    await rollouts.fleet.changeInstances(api, ['2'], { protectFromScaleSetActions: true }, EPOCH);
    await rollouts.fleet.changeInstances(api, ['3'], { power: 'stopped' }, EPOCH);
    await command('pause', '--scale-set', 'api', '--why', 'load test', '--who', 'ann');
    const plan = await planRollout(rollouts, { image: IMAGE, regions: ['westus'] });
    expect(plan.totals).toMatchObject({ instances: 10, toUpgrade: 6, batches: 5 });
    expect(plan.phases[0]?.regionPlans[0]?.scaleSetPlans[0]?.notes).toEqual([
      'Protected, so not touched: 2.',
      'Not running, so not touched: 3.',
      'In quarantine, so not touched before `rollouts repair`: 0, 1.',
      expect.stringMatching(
        /^ann paused api in westus at \S+: load test\. Nothing moves before `rollouts resume/,
      ),
      "Begun now, it would stop before its first batch: 30% of the scale set's instances (3 of 10) are unhealthy, more than the limit of 20%.",
    ]);
    const { stdout } = await command('plan', IMAGE, '--region', 'westus');
    expect(stdout).toContain('In quarantine, so not touched before `rollouts repair`: 0, 1. ann paused');
  });

  it('gives a gallery image one phase of all regions that have the version (rule D5)', async () => {
    const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/one/images/web';
    const other = workspace();
    const sets = ['eastus', 'westus', 'swedencentral'].map((region) => ({
      region,
      capacity: 2,
      image: { id },
      version: '1.0.0',
    }));
    const context = await rolloutsOn(other, sets);
    const targetRegions = ['eastus', 'westus'].map((name) => ({ name, replicatedAt: EPOCH }));
    await context.fleet.publishGalleryVersion({
      imageId: id,
      version: '1.0.1',
      at: EPOCH,
      targetRegions,
    });
    const plan = await planRollout(context, { image: id });
    expect(plan.kind).toBe('gallery');
    expect(plan.phases).toMatchObject([
      { name: 'all regions', regionPlans: [{ name: 'eastus' }, { name: 'westus' }] },
    ]);
    expect(plan.skipped).toMatchObject([{ reasons: [{ code: 'VersionNotOfferedInRegion' }] }]);
    await context.close();
    await other.remove();
  });
});

describe('rollouts plan', () => {
  it('reads image, version, phases and settings from a file, and the command line overrides it', async () => {
    const file = await space.write('plan.json', {
      image: IMAGE,
      version: NEW_VERSION,
      phases: [{ regions: ['eastus'] }, { name: 'rest', regions: ['westus', 'swedencentral'] }],
      settings: { bakeTime: 'PT2H', triggerDelay: { min: '1m', max: '90s' }, failureTolerancePercent: 2 },
    });
    const { code, stdout } = await run(['plan', '--plan', file, '--tolerance', '5', '-o', 'json'], space);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      phases: [{ name: 'phase 1' }, { name: 'rest' }],
      settings: {
        bakeTime: 2 * HOUR,
        triggerDelay: { min: MINUTE, max: 1.5 * MINUTE },
        failureTolerancePercent: 5,
      },
      startAt: expect.stringMatching(/^2\d{3}-\d\d-\d\dT.*Z$/) as string,
    });
  });

  it('says of each phase what it takes to begin and to pass, where its plan says that for itself (D2, D3)', async () => {
    const phases = [
      { regions: ['eastus'] },
      {
        name: 'rest',
        regions: ['westus', 'swedencentral'],
        ...{ failureTolerancePercent: 5, bakeTime: '2h', approval: true },
      },
    ];
    const file = await space.write('gated.json', { image: IMAGE, phases });
    const { stdout } = await run(['plan', '--plan', file, '-o', 'json'], space);
    expect(JSON.parse(stdout)).toMatchObject({
      phases: [
        { name: 'phase 1', own: {} },
        { name: 'rest', own: { failureTolerancePercent: 5, bakeTime: 2 * HOUR, approval: true } },
      ],
    });
    const { stdout: text } = await run(['plan', '--plan', file], space);
    expect(text).toMatch(
      /Phase 2: rest, .*\n.* batch.*\n {2}begins once a person has approved it, tolerance 5 %, bake 2 h 00 min\n/,
    );
  });

  it('is readable', async () => {
    const { stdout } = await run(['plan', IMAGE], space);
    expect(stdout).toContain('Upgrades  3 regions, 3 scale sets, 24 VMs in 19 batches, in 3 phases');
    expect(stdout).toMatch(/Phase 1: canary, .*, judged at /);
    expect(stdout).toMatch(/ {4}web +9 +9 of 1 in zones 1, 2, 3 +from /);
    expect(stdout).toMatch(
      /Not upgraded:\n.*\n {2}legacy +swedencentral +Automatic OS image upgrades are not enabled/,
    );
  });
});
