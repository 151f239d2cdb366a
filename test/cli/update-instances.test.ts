import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { EPOCH, testSetId } from '../support/fleet.ts';
import { recordAttempt } from './recorded.ts';
import { rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

const id = testSetId('web');
let space: Workspace;
let rollouts: TestRollouts;

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space, [{ name: 'web', region: 'eastus', capacity: 5 }]);
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });

/** A model that all five instances are behind. */
async function newModel() {
  await command('model', 'set', 'web', 'virtualMachineProfile.osProfile.customData=aGVsbG8=');
}

describe('update-instances (C9, B14)', () => {
  it('starts an update of all that are behind, by whom and why', async () => {
    await newModel();
    const { code, stdout } = await command(
      ...['update-instances', 'web', '--all', '--who', 'ann', '--why', 'boot script', '-o', 'json'],
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      action: 'modelUpdate',
      instanceIds: ['0', '1', '2', '3', '4'],
      parameters: {},
      startedBy: 'ann',
      why: 'boot script',
      rolloutId: manualRolloutId(id, 1),
    });
    expect(rollouts.temporalServer.workflows.get(scaleSetRolloutId(id))?.status).toBe('RUNNING');
  });

  it('takes those that are named', async () => {
    await newModel();
    await command('update-instances', 'web', '1', '3', '1');
    expect(await rollouts.ledger.rollouts.get(manualRolloutId(id, 1))).toMatchObject({
      parameters: { instanceIds: ['1', '3'] },
    });
  });

  it('leaves protected and stopped ones alone, and names them', async () => {
    await newModel();
    await rollouts.fleet.changeInstances(id, ['1', '3'], { protectFromScaleSetActions: true }, EPOCH);
    await rollouts.fleet.changeInstances(id, ['4'], { power: 'stopped' }, EPOCH);
    const { stdout } = await command('update-instances', 'web', '--all');
    expect(stdout).toContain('2 instances are brought to the model now.');
    expect(stdout).toContain('Protected, so not touched: 1, 3.');
    expect(stdout).toContain('Not running, so not touched: 4.');
  });

  it('says so when nothing is behind, and starts nothing', async () => {
    const { code, stdout } = await command('update-instances', 'web', '--all');
    expect(code).toBe(0);
    expect(stdout).toContain('Nothing to do');
    expect(await rollouts.ledger.rollouts.list()).toEqual([]);
  });

  it('lists the instances that are not there, and does nothing', async () => {
    await newModel();
    const { code, stderr } = await command('update-instances', 'web', '0', '8', '9');
    expect(code).toBe(64);
    expect(stderr).toContain('web in eastus has no instance 8, 9. Nothing was done.');
    expect(await rollouts.ledger.rollouts.list()).toEqual([]);
  });

  it.each([
    [['web'], 'give their ids, or --all'],
    [['web', '1', '--all'], 'give their ids, or --all'],
    [['web', '--all', '--timeout', '1m'], 'give --wait too'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await command('update-instances', ...args);
    expect(code).toBe(64);
    expect(stderr).toContain(message);
  });

  it('is a conflict while anything of the set runs (B12)', async () => {
    await newModel();
    await command('update-instances', 'web', '--all');
    const { code, stderr } = await command('update-instances', 'web', '1');
    expect(code).toBe(1);
    expect(stderr).toContain('409 Conflict');
    expect(await rollouts.ledger.rollouts.list()).toHaveLength(1);
  });

  it('goes on with the same start that was interrupted, and not with another one', async () => {
    await newModel();
    await command('update-instances', 'web', '1');
    rollouts.temporalServer.workflows.clear();
    expect(JSON.parse((await command('update-instances', 'web', '1', '-o', 'json')).stdout)).toMatchObject({
      rolloutId: manualRolloutId(id, 1),
      mended: true,
    });
    rollouts.temporalServer.workflows.clear();
    expect(JSON.parse((await command('update-instances', 'web', '2', '-o', 'json')).stdout)).toMatchObject({
      rolloutId: manualRolloutId(id, 2),
      mended: false,
    });
    expect(await rollouts.ledger.rollouts.get(manualRolloutId(id, 1))).toMatchObject({ status: 'Cancelled' });
  });

  it('is shown by list and status as what it is', async () => {
    await newModel();
    await command('update-instances', 'web', '--all', '--why', 'boot script');
    expect((await command('list')).stdout).toMatch(/\nRunning +update to the model /);
    const { stdout } = await command('status');
    expect(stdout).toContain('Update to the model, Canonical:');
  });

  it('leaves those in quarantine to a repair', async () => {
    await recordAttempt(rollouts, id, { outcomes: { '2': 'restoreFailed' }, error: 'disk lost' });
    await newModel();
    const { stdout } = await command('update-instances', 'web', '2');
    expect(stdout).toContain('Nothing to do');
    expect(stdout).toContain('In quarantine, so not touched before `rollouts repair`: 2.');
  });
});
