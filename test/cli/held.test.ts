import { afterEach, beforeEach, expect, it } from 'vitest';
import { EPOCH, NEW_VERSION, TARGET, testSetId } from '../support/fleet.ts';
import { recordAttempt } from './recorded.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

let space: Workspace;
let rollouts: TestRollouts;
const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space);
  await command('start', IMAGE);
  for (const name of ['web', 'api']) {
    const scaleSetId = testSetId(name);
    const reverted = { who: 'ann', why: 'bad kernel', since: EPOCH };
    await rollouts.ledger.heldVersions.hold({ scaleSetId, version: TARGET, ...reverted });
  }
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

it('lists what is held back from which scale set, by whom and why, and how to lift it', async () => {
  const { stdout } = await command('held');
  expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
    'SCALE SET  REGION  VERSION                                                           SINCE                HELD BACK BY, WHY',
    `api        westus  ${IMAGE} ${NEW_VERSION}  2026-01-05 10:00:00  ann: bad kernel`,
    `web        eastus  ${IMAGE} ${NEW_VERSION}  2026-01-05 10:00:00  ann: bad kernel`,
    'Lift by `rollouts revert --lift SCALE_SET_OR_ROLLOUT --why TEXT`.',
    '',
  ]);
  const { held } = JSON.parse((await command('held', 'web', '--output', 'json')).stdout) as {
    held: object[];
  };
  expect(held).toMatchObject([{ name: 'web', version: NEW_VERSION, since: '2026-01-05T10:00:00.000Z' }]);
  expect((await command('held', 'queue')).stdout).toBe('Nothing is held back.\n');
});

it('is told by the plan of a rollout, which leaves these sets out', async () => {
  const { stdout } = await command('plan', IMAGE);
  expect(stdout).toContain(
    `ann reverted ${NEW_VERSION} on the scale set at 2026-01-05T10:00:00.000Z (bad kernel): it is held back. ` +
      'Lift that by `rollouts revert --lift web --why TEXT`, start it by hand, or roll out a newer version. (D6)',
  );
});

it('is told by the status of the rollout that brought it', async () => {
  await recordAttempt(rollouts, testSetId('web'));
  const { stdout } = await command('status', 'scale-set/');
  expect(stdout).toContain('Held back since it was reverted there');
  expect(stdout).toContain('  web by ann since 2026-01-05 10:00:00: bad kernel');
  const { heldBack } = JSON.parse((await command('status', 'scale-set/', '-o', 'json')).stdout) as {
    heldBack: object[];
  };
  expect(heldBack).toMatchObject([{ scaleSetId: testSetId('web') }]);
});

it('is lifted on one set, on all sets of a rollout, or by a start by hand', async () => {
  const { stderr } = await command('start', '--scale-set', 'web');
  expect(stderr).toContain(
    `ann had reverted ${NEW_VERSION} on this set (bad kernel): it is held back no longer.`,
  );
  expect((await command('held')).stdout).not.toContain('web ');
  const { stdout } = await command('revert', '--lift', 'rollout/canonical', '--why', 'fixed');
  expect(stdout).toMatch(/^api: \S+ may be rolled out again/);
  expect((await command('held')).stdout).toBe('Nothing is held back.\n');
});
