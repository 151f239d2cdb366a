import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { NEW_VERSION, testSetId } from '../support/fleet.ts';
import { ROLLOUT_ID, activityWorld, at, recordTargets, removeWorldsAfterEach, setLook } from './support.ts';

removeWorldsAfterEach();

/** Three of ten VMs whose probe, which asks every 15 s, says healthy and unhealthy by turns: healthy at 0, 30 and 60 s. */
const FLAPPING = [
  {
    kind: 'flapping' as const,
    periodSeconds: 30,
    from: new Date(at(0)).toISOString(),
    instances: ['1', '2', '3'],
  },
];
const set = { name: 'web', region: 'eastus', capacity: 10 };
const settings = (healthyReadings: number) => ({ ...DEFAULT_SETTINGS, healthyReadings });

describe('an instance whose health flaps', () => {
  it.each([
    [1, { kind: 'batch' }],
    [
      2,
      {
        kind: 'finished',
        status: 'Faulted',
        reason: { code: 'MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade' },
      },
    ],
  ])('is unhealthy before an upgrade unless %i reading is enough (B1)', async (readings, expected) => {
    const options = { faults: FLAPPING, rollout: { settings: settings(readings) } };
    const world = await activityWorld([set], options);
    await recordTargets(world);
    const [, flapping] = await world.fleet.instances(testSetId('web'), at(31));
    expect(flapping?.applicationHealth).toBe('healthy');
    expect(await world.activities.lookAtScaleSet(setLook(testSetId('web'), { at: at(31) }))).toMatchObject(
      expected,
    );
  });

  it.each([
    [1, 0],
    [2, 3],
  ])('fails its phase unless one reading is enough: with %i, %i fail (D2)', async (readings, failed) => {
    const options = { faults: FLAPPING, rollout: { settings: settings(readings) } };
    const world = await activityWorld([{ ...set, version: NEW_VERSION }], options);
    const key = { rolloutId: ROLLOUT_ID, phase: 1, round: 1 };
    await world.activities.openPhase({ ...key, regions: ['eastus'], at: at(0) });
    await recordTargets(world, { status: 'upgraded' });
    const { verdict } = await world.activities.judgePhase({ ...key, at: at(3_600) });
    expect(verdict).toMatchObject({ eligible: 10, failed });
  });
});
