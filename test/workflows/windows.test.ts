import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { auditJournal } from '../../src/audit/index.ts';
import { ruleScope, type RuleScope } from '../../src/domain/calendar.ts';
import { HOUR, isoTime, MINUTE, virtualAt } from '../../src/domain/clock.ts';
import { WEEKDAYS } from '../../src/domain/maintenance-window.ts';
import type { RuleDefinition } from '../../src/ledger/port.ts';
import { regionRolloutId, phaseRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { lookAgainSignal, statusQuery } from '../../src/workflows/messages.ts';
import { EPOCH, NEW_VERSION, testSetId } from '../support/fleet.ts';
import {
  QUICK,
  rolloutWorld,
  startRollout,
  useTimeSkippingServer,
  versionsOf,
  type RolloutWorld,
} from '../support/rollout.ts';

const env = useTimeSkippingServer();

const FRONT = testSetId('front');
const SET: RuleScope = { kind: 'scaleSet', scaleSetId: FRONT };
const MIDNIGHT = EPOCH + 14 * HOUR;

/** Lays a rule down and wakes who is given, as the client library does. */
async function lay(world: RolloutWorld, scope: RuleScope, rule: RuleDefinition, ...wake: WorkflowHandle[]) {
  const at = virtualAt(world.clock, await env.currentTimeMs());
  await world.ledger.calendar.add({ ...rule, scope: ruleScope(scope), who: 'ada', why: 'to see', at });
  for (const handle of wake) await handle.signal(lookAgainSignal);
}

/** When batches began, in UTC: `05 22:00`. */
async function begun({ ledger }: RolloutWorld): Promise<string[]> {
  const lines = await ledger.journal.read({});
  return lines
    .filter(({ operation, event }) => operation === 'batch' && event === 'started')
    .map(({ at }) => isoTime(at).slice(8, 16).replace('T', ' '));
}

describe('a scale set with a nightly window (D10)', () => {
  it('begins batches in it alone, not in a freeze, and at once where a person overrides both', async () => {
    // Six batches of one VM, of two minutes and more each; the window has room for two or three.
    const world = await rolloutWorld(env, [
      { name: 'front', region: 'eastus', capacity: 6, zones: ['1', '2', '3'] },
    ]);
    const length = { duration: 5 * MINUTE };
    const window = { days: [...WEEKDAYS], start: '23:00', zone: 'Europe/Berlin', length };
    await lay(world, SET, { kind: 'window', window });
    const handle = await world.worker.runUntil(async () => {
      const started = await startRollout(world, {
        phases: [{ name: 'canary', regions: ['eastus'] }],
        settings: QUICK,
      });
      const region = env.client.workflow.getHandle(
        regionRolloutId(phaseRolloutId(started.workflowId, 1, 1), 'eastus'),
      );
      const set = env.client.workflow.getHandle(scaleSetRolloutId(FRONT));
      await env.sleep('2 hours');
      expect((await region.query(statusQuery)).waitingFor).toMatchObject({
        what: 'a maintenance window of scale set front in fleet (daily 23:00 for 5 min Europe/Berlin)',
        until: EPOCH + 12 * HOUR,
      });
      // The first night; then a freeze over the second.
      await env.sleep('11 hours');
      const first = await begun(world);
      expect(first.length).toBeLessThan(6);
      const { waitingFor } = await set.query(statusQuery);
      expect(waitingFor?.until).toBe(EPOCH + 36 * HOUR);
      expect(await world.ledger.claims.list({ group: 'zones/eastus' })).toEqual([]);
      const freeze = { kind: 'freeze' as const, from: MIDNIGHT, until: MIDNIGHT + 30 * HOUR };
      await lay(world, { kind: 'region', region: 'eastus' }, freeze, set);
      await env.sleep('20 hours');
      expect((await set.query(statusQuery)).waitingFor).toMatchObject({
        what: expect.stringContaining('the end of freeze-2 of region eastus (ada: to see)'),
        until: EPOCH + 60 * HOUR,
      });
      expect(await begun(world)).toEqual(first);
      const until = MIDNIGHT + 48 * HOUR;
      await lay(world, { kind: 'rollout', rolloutId: started.workflowId }, { kind: 'override', until }, set);
      expect(await started.result()).toMatchObject({ status: 'Completed' });
      return started;
    });
    const times = await begun(world);
    expect(times).toHaveLength(6);
    const nightly = times.filter((time) => time.startsWith('05 22:0'));
    expect(nightly.length).toBeGreaterThan(1);
    expect(times.slice(nightly.length).every((time) => time.startsWith('06 '))).toBe(true);
    expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 6 });
    const journal = await world.ledger.journal.read({});
    const checked = auditJournal(journal, []).checks.find(({ rule }) => rule === 'D10');
    expect(checked).toMatchObject({ cases: 6, violations: [] });
    // Without the line of the override the same journal is found out.
    const untold = journal.filter(({ operation }) => operation !== 'override');
    expect(auditJournal(untold, []).violations).toHaveLength(6 - nightly.length);
    expect(handle.workflowId).toBe(journal.find(({ operation }) => operation === 'batch')?.rolloutId);
  });
});
