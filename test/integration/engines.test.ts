import { expect, it } from 'vitest';
import { NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';
import { describeEngines } from '../support/engines.ts';
import { auditJournal } from '../../src/audit/index.ts';
import {
  useRealServer,
  QUICK,
  journalOf,
  rolloutWorld,
  startRollout,
  versionsOf,
} from '../support/rollout.ts';

const env = useRealServer();

const zones = ['1', '2', '3'];
const PHASES = [
  { name: 'canary', regions: ['eastus'] },
  { name: 'broad', regions: ['westus', 'northeurope'] },
];

describeEngines('a rollout with its fleet and ledger', (open) => {
  it('completes, restores what fails, and its journal keeps every safety rule', async () => {
    const sets = [
      { name: 'zonal', region: 'eastus', capacity: 12, zones },
      { name: 'small', region: 'eastus', capacity: 5, zones },
      { name: 'large', region: 'westus', capacity: 50, extensions: [{ name: 'agent' }] },
      {
        name: 'flexible',
        region: 'northeurope',
        capacity: 10,
        orchestrationMode: 'Flexible' as const,
        health: 'extension' as const,
      },
    ];
    const world = await rolloutWorld(env, sets, {
      database: await open(),
      speed: 600,
      faults: [{ kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'large', instances: ['49'] }],
    });
    const journal = await world.worker.runUntil(async () => {
      const settings = { ...QUICK, failureTolerancePercent: 2 };
      const handle = await startRollout(world, { phases: PHASES, settings });
      expect((await handle.result()).status).toBe('Completed');
      return journalOf(world, handle.workflowId);
    });
    expect(await versionsOf(world, 'large')).toEqual({ [NEW_VERSION]: 49, [OLD_VERSION]: 1 });
    expect(await versionsOf(world, 'flexible')).toEqual({ [NEW_VERSION]: 10 });
    expect(auditJournal(journal, [['eastus', 'westus']]).violations).toEqual([]);
  });
});
