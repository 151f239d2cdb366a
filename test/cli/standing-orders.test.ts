import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scaleSetScope } from '../../src/domain/scopes.ts';
import { EPOCH, NEW_VERSION, testSetId } from '../support/fleet.ts';
import { recordAttempt } from './recorded.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

const web = testSetId('web');
const customData = 'virtualMachineProfile.osProfile.customData=aGVsbG8=';
let space: Workspace;
let rollouts: TestRollouts;

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space, [
    { name: 'web', region: 'eastus', capacity: 5, mode: 'Automatic', version: NEW_VERSION },
    { name: 'api', region: 'eastus', capacity: 5 },
  ]);
  // What a revert would undo, and a repair would mend.
  await recordAttempt(rollouts, web, { outcomes: { '0': 'upgraded', '1': 'restoreFailed' } });
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });
const order = (state: 'paused' | 'cancelled') =>
  rollouts.ledger.orders.set({ scope: scaleSetScope(web), state, who: 'ada', why: 'disk tests', at: EPOCH });

describe('a scale set that was cancelled', () => {
  const refusal =
    '409 Conflict: OperationNotAllowed. ada cancelled web in eastus at 2026-01-05T10:00:00.000Z: disk tests. ' +
    'That stands until `rollouts resume --scale-set web --why TEXT`.';

  it.each([
    ['start', ['start', '--scale-set', 'web']],
    ['revert', ['revert', 'web', '--why', 'bad']],
    ['repair', ['repair', 'web/1', '--reimage', '--why', 'disk']],
  ])('refuses a %s, says whose order it is and how to take it back, and records nothing', async (_, args) => {
    await order('cancelled');
    const before = await rollouts.ledger.rollouts.list();
    expect(await command(...args)).toEqual({ code: 1, stdout: '', stderr: `error: ${refusal}\n` });
    expect(await rollouts.ledger.rollouts.list()).toEqual(before);
    expect(await command('resume', '--scale-set', 'web', '--why', 'over')).toMatchObject({ code: 0 });
    expect((await command(...args)).stderr).not.toContain('409');
  });

  it('has its model written, and tells why no instance is brought to it', async () => {
    await order('cancelled');
    const { stdout } = await command('model', 'set', 'web', customData, '--output', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ changed: true, behind: 5, notStarted: { message: refusal } });
    expect(await command('update-instances', 'web', '--all')).toMatchObject({
      code: 1,
      stderr: `error: ${refusal}\n`,
    });
  });

  it('is told by the plan to be left out', async () => {
    await order('cancelled');
    const { stdout } = await command('plan', IMAGE, '--details');
    expect(stdout).toMatch(
      / web +eastus +ada cancelled the scale set at \S+ \(disk tests\), which stands\. Take that back by/,
    );
    expect(stdout).toMatch(/ {2}api +5 /);
  });

  it('is said to stay so when it is cancelled', async () => {
    const { stdout } = await command('cancel', '--scale-set', 'api', '--why', 'disk tests');
    expect(stdout).toContain(
      'Note: It stands for whatever comes later too, until `rollouts resume --scale-set api --why TEXT`.',
    );
    expect((await command('cancel', '--all', '--why', 'freeze')).stdout).toContain(
      'until `rollouts resume --all',
    );
  });

  it('is none any longer in a new fleet', async () => {
    await order('cancelled');
    await command('fleet', 'seed', '--force');
    expect(await rollouts.ledger.orders.inForce([scaleSetScope(web)])).toMatchObject({ state: 'running' });
  });
});

it('a start on a paused scale set says that it waits, and for what', async () => {
  await order('paused');
  const { code, stderr } = await command('start', '--scale-set', 'web');
  expect(code).toBe(0);
  expect(stderr).toContain(
    'Warning: ada paused web in eastus at 2026-01-05T10:00:00.000Z: disk tests. ' +
      'Nothing moves before `rollouts resume --scale-set web --why TEXT`.',
  );
});
