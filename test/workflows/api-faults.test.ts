import { describe, expect, it } from 'vitest';
import { auditJournal } from '../../src/audit/index.ts';
import { NEW_VERSION, OLD_VERSION, testSetId } from '../support/fleet.ts';
import {
  QUICK,
  inBatch,
  passTimeUntil,
  rolloutWorld,
  startRollout,
  versionsOf,
  useTimeSkippingServer,
} from '../support/rollout.ts';

const env = useTimeSkippingServer();

const PHASES = [{ name: 'all', regions: ['eastus'] }];
const SETTINGS = { ...QUICK, failureTolerancePercent: 100 };
const ZONES = { region: 'eastus', capacity: 3, zones: ['1', '2', '3'] };

describe("when the fleet's API", () => {
  it('does not answer for one set in the middle of a batch, that is given up, and the others get its zone (D2, D4)', async () => {
    const world = await rolloutWorld(env, [
      { name: 'web', ...ZONES },
      { name: 'api', ...ZONES },
    ]);
    const result = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: SETTINGS });
      await passTimeUntil(world, () => inBatch(world, 'web', 1), '1 s');
      await world.fleet.setFaults([
        { kind: 'apiError', operation: 'any', scaleSet: 'web', effect: 'timeout' },
      ]);
      return handle.result();
    });
    expect(result.status).toBe('Completed');
    expect(await versionsOf(world, 'api')).toEqual({ [NEW_VERSION]: 3 });
    const [rollout] = await world.ledger.rollouts.list();
    expect(await world.ledger.targets.get(rollout?.id ?? '', testSetId('web'))).toMatchObject({
      status: 'stopped',
      reason: { code: 'ScaleSetUnreachable' },
    });
    expect(await world.ledger.attempts.openOf(testSetId('web'))).not.toBeNull();
    expect(await world.ledger.claims.list()).toEqual([]);
    const [phase] = await world.ledger.phases.list(rollout?.id ?? '');
    expect(phase?.verdict).toMatchObject({ eligible: 6, succeeded: 3, failed: 3 });
    expect(auditJournal(await world.ledger.journal.read({}), []).violations).toEqual([]);
  });

  it('wants to be left alone, it is, and an outage of an hour fails nothing', async () => {
    const throttled = { kind: 'apiError', effect: 'throttled', retryAfterSeconds: 60 } as const;
    const world = await rolloutWorld(env, [{ name: 'web', region: 'eastus', capacity: 4 }], {
      faults: [
        { ...throttled, operation: 'scaleSets', times: 1 },
        { ...throttled, operation: 'osDisk.swap', times: 2 },
        { ...throttled, operation: 'instances', scaleSet: 'web', times: 3 },
        // The waits are five minutes at most: it takes more than an hour to use these up.
        { kind: 'apiError', operation: 'model.apply', effect: 'before', times: 20 },
      ],
    });
    const result = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      return handle.result();
    });
    expect(result.status).toBe('Completed');
    expect(await versionsOf(world, 'web')).toEqual({ [NEW_VERSION]: 4 });
    const journal = await world.ledger.journal.read({});
    expect(journal.filter(({ operation }) => operation === 'osDisk.restore')).toEqual([]);
    expect(journal.filter(({ event }) => event === 'failed')).toEqual([]);
    expect(await versionsOf(world, 'web')).not.toHaveProperty(OLD_VERSION);
  });
});
