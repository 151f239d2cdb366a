import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';
import type { Rollout } from '../../src/ledger/port.ts';
import type { TestSet } from '../support/fleet.ts';
import { afterFirstBatch, asBatch, oneSet, removeWorldsAfterEach, setLook } from './support.ts';

removeWorldsAfterEach();

const own = { maxBatchInstancePercent: 10, pauseTimeBetweenBatches: 'PT10M' };
const asRead = {
  ...DEFAULT_ROLLING_POLICY,
  maxBatchInstancePercent: 10,
  pauseTimeBetweenBatches: 10 * MINUTE,
};

/** Its OS upgrades do not go by the policy that it has. */
const notUsed = {
  properties: { upgradePolicy: { automaticOSUpgradePolicy: { useRollingUpgradePolicy: false } } },
};

/** The policy that an attempt on a set goes by, and how many instances its first batch has. */
async function attemptOn(set: Partial<TestSet>, rollout: Partial<Rollout> = {}) {
  const { world, id } = await oneSet(set, { rollout });
  const look = asBatch(await world.activities.lookAtScaleSet(setLook(id)));
  const attempt = await world.ledger.attempts.openOf(id);
  return { policy: attempt?.policy, size: look.instanceIds.length };
}

describe('the policy of an attempt (B13)', () => {
  it("is the set's own where the set says so, and the defaults otherwise", async () => {
    expect(await attemptOn({ rollingUpgradePolicy: own })).toEqual({ policy: asRead, size: 1 });
    expect(await attemptOn({ rollingUpgradePolicy: own, model: notUsed })).toEqual({
      policy: DEFAULT_ROLLING_POLICY,
      size: 2,
    });
    expect(await attemptOn({})).toEqual({ policy: DEFAULT_ROLLING_POLICY, size: 2 });
  });

  it("is the set's own in a rolling upgrade to the model, whether or not OS upgrades go by it (B14)", async () => {
    const { world, id } = await oneSet(
      { rollingUpgradePolicy: own, model: notUsed },
      { rollout: { kind: 'manual', action: 'modelUpgrade' } },
    );
    await world.activities.lookAtScaleSet(setLook(id));
    expect(await world.ledger.attempts.listOf({ scaleSetId: id })).toMatchObject([{ policy: asRead }]);
  });

  it('is what a person gave with the start before all', async () => {
    const parameters = { policy: { maxBatchInstancePercent: 5 } };
    const { policy } = await attemptOn({ rollingUpgradePolicy: own }, { kind: 'manual', parameters });
    expect(policy).toEqual({ ...asRead, maxBatchInstancePercent: 5 });
  });
});

describe('the pause between batches (B9)', () => {
  it('passes between the end of one and the beginning of the next, and says until when', async () => {
    const { world, id } = await oneSet({ rollingUpgradePolicy: { pauseTimeBetweenBatches: 'PT10M' } });
    const next = await afterFirstBatch(world, id);
    const until = next.at + 10 * MINUTE;
    const paused = { kind: 'wait', what: 'the pause between batches', until };
    expect(await world.activities.lookAtScaleSet(next)).toMatchObject(paused);
    expect(await world.activities.lookAtScaleSet({ ...next, at: until - 1 })).toMatchObject(paused);
    expect(await world.activities.lookAtScaleSet({ ...next, at: until })).toMatchObject({ batch: 2 });
  });
});
