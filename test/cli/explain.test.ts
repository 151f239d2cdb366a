import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { rolloutScope, scaleSetScope } from '../../src/domain/scopes.ts';
import { imageRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { regionTaskQueue } from '../../src/workflows/messages.ts';
import { EPOCH, NEW_VERSION, OLD_VERSION, TARGET, testSetId, type TestSet } from '../support/fleet.ts';
import { explainIn } from './explained.ts';
import { recordAttempt } from './recorded.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

let space: Workspace;
let rollouts: TestRollouts;
const id = testSetId('web');

async function fleetWith(set: Partial<TestSet> = {}): Promise<void> {
  rollouts = await rolloutsOn(space, [{ name: 'web', region: 'eastus', capacity: 10, ...set }]);
}

beforeEach(() => {
  space = workspace();
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const explained = (...args: string[]) => explainIn(space.databaseUrl, args, rollouts.temporalServer);
const order = (state: 'paused' | 'cancelled') => ({ state, who: 'ann', why: 'freeze', at: EPOCH });

describe('explain tells why an eligible set is not upgraded', () => {
  it('when no rollout has begun, or none that goes there, or none that still runs (D6)', async () => {
    await fleetWith();
    const none = await explained('web');
    expect(none.json.reasons).toMatchObject([
      { code: 'NoRollout', rule: 'D6', command: `rollouts start ${IMAGE} ${NEW_VERSION}` },
    ]);
    const rollout = await rollouts.ledger.rollouts.create({
      ...{ id: 'rollout/x/1/1', kind: 'platform', target: TARGET, generation: 1, startedBy: 'ann' },
      ...{ phases: [{ name: 'all', regions: ['westus'] }], startedAt: EPOCH },
      settings: DEFAULT_SETTINGS,
    });
    const elsewhere = await explained('web');
    expect(elsewhere.json.reasons).toMatchObject([
      { code: 'NotInRollout', message: `${rollout.id} does not go to eastus.` },
    ]);
    expect(elsewhere.json.advice.map(({ command }) => command)).toEqual(['rollouts start --scale-set web']);
  });

  it('when the version was reverted on it, and how that is lifted (D6)', async () => {
    await fleetWith();
    const held = { scaleSetId: id, version: TARGET, who: 'ann', why: 'bad kernel', since: EPOCH };
    await rollouts.ledger.heldVersions.hold(held);
    const { json } = await explained('web');
    expect(json.verdict.kind).toBe('notUpgraded');
    expect(json.reasons).toMatchObject([
      {
        code: 'VersionHeldBack',
        message: expect.stringContaining('bad kernel') as string,
        command: 'rollouts revert --lift web --why TEXT',
      },
    ]);
  });

  it('when it was cancelled, for later rollouts too', async () => {
    await fleetWith();
    await rollouts.ledger.orders.set({ ...order('cancelled'), scope: scaleSetScope(id) });
    const { json } = await explained('web');
    expect(json.reasons).toMatchObject([
      { code: 'ScaleSetCancelled', command: 'rollouts resume --scale-set web --why TEXT' },
    ]);
    // A start by hand would be refused.
    expect(json.advice.map(({ what }) => what)).toEqual(['Against ScaleSetCancelled:']);
  });

  it('when an attempt by hand faulted, with the fix of its code (B11)', async () => {
    await fleetWith();
    await recordAttempt(rollouts, id, {
      ...{ outcomes: { '0': 'left' }, status: 'Faulted' },
      reason: { code: 'ExtensionResourceUnavailable', message: 'Instance 0: the credential expired.' },
    });
    const { json } = await explained('web');
    expect(json.verdict).toEqual({ kind: 'stopped', text: 'was stopped: ExtensionResourceUnavailable' });
    expect(json.reasons).toMatchObject([{ rule: 'B11', fix: expect.stringContaining('Renew') as string }]);
    expect(json.instances.groups.find(({ code }) => code === 'failed')).toMatchObject({ instanceIds: ['0'] });
  });
});

describe('explain tells that an upgrade will stop at the end of its batch', () => {
  const open = { isOpen: true, startedBy: 'Platform' as const };

  it('when the set was opted out (C1)', async () => {
    await fleetWith({ automaticOSUpgrade: false });
    await recordAttempt(rollouts, id, { ...open, outcomes: { '0': null } });
    const { json, text } = await explained('web');
    expect(json.verdict).toEqual({
      kind: 'upgrading',
      text: 'is being upgraded (batch 1, update domain 0, 0 of 1 done), and stops at the end of its batch: 1 reason (AutomaticOSUpgradeDisabled)',
    });
    expect(text).toContain('\nIt stops for:\n  C1  AutomaticOSUpgradeDisabled\n');
  });

  it('but not for that when a person has started it (D8)', async () => {
    await fleetWith({ automaticOSUpgrade: false });
    await recordAttempt(rollouts, id, { ...open, startedBy: 'User' });
    expect((await explained('web')).json.reasons).toEqual([]);
  });

  it('when it was cancelled, or all of its rollout', async () => {
    await fleetWith();
    const { rolloutId } = await recordAttempt(rollouts, id, { ...open, startedBy: 'User' });
    for (const scope of [rolloutScope(rolloutId), scaleSetScope(id)])
      await rollouts.ledger.orders.set({ ...order('cancelled'), scope });
    expect((await explained('web')).json.reasons).toMatchObject([
      { code: 'Cancelled', fix: expect.stringContaining('start a new rollout') as string, command: null },
      { code: 'Cancelled', command: 'rollouts resume --scale-set web --why TEXT' },
    ]);
  });
});

describe('explain tells what an upgrade waits for', () => {
  it('when something else is done to the set (B12)', async () => {
    await fleetWith();
    const { rolloutId } = await recordAttempt(rollouts, id, { kind: 'repair', isOpen: true });
    const { json } = await explained('web');
    expect(json.verdict.kind).toBe('waiting');
    expect(json.waitsFor).toMatchObject([
      {
        ...{ kind: 'attempt', rule: 'B12', where: 'web' },
        what: `the end of attempt 1 (repair, ${NEW_VERSION} by ann)`,
        command: `rollouts cancel ${rolloutId} --why TEXT`,
      },
    ]);
  });

  it('when a person has started it and no worker has taken it up', async () => {
    await fleetWith();
    await run(['start', '--scale-set', 'web'], space, { temporal: rollouts.temporalServer });
    const { json } = await explained('web');
    expect(json.waitsFor).toMatchObject([
      { kind: 'look', what: expect.stringContaining('a worker') as string },
    ]);
  });
});

describe('explain and the workflow that acts', () => {
  it('tells what it does, that nobody answers, or that it is gone, and what to do then', async () => {
    await fleetWith();
    const { workflowId } = await recordAttempt(rollouts, id, { isOpen: true, startedBy: 'User' });
    const { workflows } = rollouts.temporalServer;
    workflows.set(workflowId, { status: 'RUNNING', options: {} });
    const open = await explained('web');
    expect(open.json.temporal).toMatchObject({
      kind: 'reached',
      workflowId,
      state: 'open',
      doing: 'upgrading',
    });
    expect(open.text).toContain(`Its workflow:\n  ${workflowId}: upgrading\n`);
    workflows.set(workflowId, { status: 'TERMINATED', options: {} });
    const closed = await explained('web');
    expect(closed.json.advice[0]).toEqual({
      what: 'Its workflow is closed, so nobody carries it on:',
      command: 'rollouts repair web --why TEXT',
    });
    rollouts.temporalServer.reachable = false;
    const away = await explained('web');
    expect(away.json).toMatchObject({ verdict: open.json.verdict, temporal: { kind: 'unreachable' } });
    expect(away.text).toContain('could not be asked what it does at the moment: No Temporal server answers');
  });

  it('tells that no worker serves its region, and how to start one', async () => {
    await fleetWith();
    const settings = { ...DEFAULT_SETTINGS, activityQueues: 'region' as const };
    const attempt = await recordAttempt(rollouts, id, { isOpen: true, rollout: { settings } });
    rollouts.temporalServer.workflows.set(attempt.workflowId, { status: 'RUNNING', options: {} });
    const alone = {
      what: 'No worker serves eastus, so its VMs wait. Start one:',
      command: 'WORKER_REGIONS=eastus npm run worker',
    };
    expect((await explained('web')).json.advice).toContainEqual(alone);
    rollouts.temporalServer.polled.set(regionTaskQueue('eastus'), Date.now());
    expect((await explained('web')).json.advice).not.toContainEqual(alone);
  });

  it("is the set's own from the moment at which its region has decided to start it", async () => {
    await fleetWith();
    const rolloutId = imageRolloutId(TARGET, 1);
    await rollouts.ledger.rollouts.create({
      ...{ id: rolloutId, kind: 'platform', target: TARGET, generation: 1, startedBy: 'ann' },
      ...{ phases: [{ name: 'all', regions: ['eastus'] }], startedAt: EPOCH, settings: DEFAULT_SETTINGS },
    });
    await rollouts.ledger.targets.add([
      {
        ...{ rolloutId, scaleSetId: id, scaleSetName: 'web', region: 'eastus', phase: 1, round: 1 },
        ...{ status: 'upgrading', seenAt: EPOCH, triggerAt: EPOCH, attemptId: null, reason: null },
      },
    ]);
    rollouts.temporalServer.workflows.set(scaleSetRolloutId(id), { status: 'RUNNING', options: {} });
    const { json } = await explained('web');
    expect(json.waitsFor).toMatchObject([{ kind: 'look', what: 'the first look of its workflow' }]);
    expect(json.temporal).toMatchObject({ kind: 'reached', workflowId: scaleSetRolloutId(id) });
    expect(json.advice).toEqual([]);
  });

  it('asks nobody where no workflow could say more', async () => {
    await fleetWith({ version: NEW_VERSION });
    rollouts.temporalServer.reachable = false;
    const { json, text } = await explained('web');
    expect(json.verdict).toEqual({
      kind: 'upgraded',
      text: `is upgraded: all 10 instances run ${NEW_VERSION}`,
    });
    expect(json.temporal).toEqual({ kind: 'notAsked' });
    expect(text).not.toContain('Temporal');
  });
});

describe('explain tells how instances stand', () => {
  it('protected, stopped, in quarantine, failed, each with its command; and that an upgrade would stop (B1)', async () => {
    await fleetWith({ protectedInstances: ['7'] });
    await recordAttempt(rollouts, id, {
      ...{ startedBy: 'Platform', error: 'HealthTimeout: not healthy.', status: 'Cancelled' },
      outcomes: { '0': 'restored', '1': 'restoreFailed' },
      reason: { code: 'Interrupted', message: 'Its workflow was terminated.' },
    });
    await rollouts.fleet.changeInstances(id, ['3', '4'], { power: 'stopped' }, EPOCH);
    const { json, text } = await explained('web');
    const groups = json.instances.groups.map(({ code, instanceIds, command }) => [
      code,
      instanceIds,
      command,
    ]);
    expect(groups).toEqual([
      ['pending', ['2', '5', '6', '8', '9'], null],
      ['failed', ['0'], null],
      ['quarantined', ['1'], 'rollouts repair web/1 --why TEXT'],
      ['stopped', ['3', '4'], 'rollouts fleet start web 3 4'],
      ['protected', ['7'], 'rollouts fleet protect web 7 --off'],
    ]);
    expect(json.instances).toMatchObject({ total: 10, healthy: 7 });
    expect(json.instances.unhealthy).toMatchObject([
      { code: 'NotRunning', rule: 'B5', instanceIds: ['3', '4'] },
    ]);
    expect(json.warnings).toMatchObject([
      { code: 'MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade', rule: 'B1' },
    ]);
    expect(text).toContain(
      '    1  not on the version: restored in attempt 1 (HealthTimeout: not healthy) (B6): 0\n',
    );
    expect(text).toContain('    2  stopped, and so not touched (B3): 3, 4\n');
  });

  it('behind their model, where mode Manual leaves that to the owner (C9)', async () => {
    await fleetWith({ mode: 'Manual' });
    await run(['model', 'set', 'web', 'virtualMachineProfile.licenseType=Windows_Server'], space);
    const { json } = await explained('web');
    expect(json.verdict.kind).toBe('leftAlone');
    expect(json.instances.groups).toMatchObject([
      { code: 'behindModel', rule: 'C9', command: 'rollouts update-instances web 0 1 2 3 4 5 6 7 8 9' },
    ]);
    const { json: one, text } = await explained('web/3');
    expect(one.instance).toMatchObject({ state: 'behindModel', healthy: true, turn: null });
    expect(text).toContain('web/3 is behind the model, which upgrade mode Manual leaves to its owner.');
    expect(text).toContain('rollouts update-instances web 3\n');
  });

  it('one of them: what it runs, where, its turn and its last try (B2, B3)', async () => {
    await fleetWith({ zones: ['1', '2', '3'] });
    const { json, text } = await explained('web/4');
    expect(json.instance).toMatchObject({
      ...{ instanceId: '4', zone: '2', version: OLD_VERSION, state: 'pending', healthy: true, problems: [] },
      turn: { number: 6, zone: '2', updateDomain: 1, size: 1 },
    });
    expect(text).toMatch(/^Its turn +batch 6, zone 2, update domain 1, with 1 instance$/m);
    const arm = await explained(`${id}/virtualMachines/4`);
    expect(arm.json.instance).toEqual(json.instance);
  });

  it('names the first ten of many', async () => {
    await fleetWith({ capacity: 40 });
    const { text } = await explained('web');
    expect(text).toContain('   40  not on the version yet: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 30 more\n');
  });
});

describe('explain calls a set in commands', () => {
  it('by its id where others have the same name', async () => {
    const region = 'eastus';
    rollouts = await rolloutsOn(space, [
      { name: 'web', region, capacity: 3, automaticOSUpgrade: false },
      { name: 'web', region, capacity: 3, resourceGroup: 'other' },
    ]);
    const { json } = await explained(id);
    expect(json.advice[0]?.command).toContain(`rollouts model set ${id} upgradePolicy`);
    expect(json.advice[1]?.command).toBe(`rollouts start --scale-set ${id}`);
  });
});

describe('explain chooses the version', () => {
  it('newest that is offered, and tells of newer ones than the one that is asked about', async () => {
    await fleetWith();
    const { json } = await explained('web', '--version', OLD_VERSION);
    expect(json.scaleSet.target).toEqual({ image: IMAGE, version: OLD_VERSION, from: 'asked' });
    expect(json.verdict.kind).toBe('upgraded');
    expect(json.newer).toEqual([
      {
        version: NEW_VERSION,
        message: `${NEW_VERSION} is newer, and no rollout of it goes to eastus.`,
        command: `rollouts start ${IMAGE} ${NEW_VERSION}`,
      },
    ]);
  });

  it('that a person has already brought, although it was never rolled out', async () => {
    await fleetWith({ version: NEW_VERSION });
    await rollouts.ledger.phases.open({
      ...{ rolloutId: 'rollout/x/1/1', phase: 1, round: 1, at: EPOCH, regions: ['eastus'] },
      target: { ...TARGET, version: OLD_VERSION },
    });
    const { json } = await explained('web');
    expect(json.scaleSet.target).toMatchObject({ version: NEW_VERSION, from: 'installed' });
    expect(json.verdict.kind).toBe('upgraded');
  });

  it.each([
    [['webb'], /No scale set is named "webb"/],
    [['web/77'], /web in eastus has no instance 77/],
    [['web', '--version', '1.2.3'], /No region offers version 1\.2\.3/],
    [['web', 'jammy'], /"jammy" is no image/],
  ])('%j is refused', async (args, message) => {
    await fleetWith();
    const { code, stderr } = await run(['explain', ...args], space);
    expect(code).toBe(64);
    expect(stderr).toMatch(message);
  });
});
