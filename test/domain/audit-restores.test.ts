import { describe, expect, it } from 'vitest';
import { auditJournal } from '../../src/audit/index.ts';
import { SECOND } from '../../src/domain/clock.ts';
import type { JournalEntry } from '../../src/domain/operation.ts';
import { T0, attempt, type LifeOptions } from './audit-journal.ts';

function found(entries: readonly JournalEntry[]): string[] {
  return auditJournal(entries, []).violations.map(({ rule, message }) => `${rule} ${message}`);
}

/** An instance that never gets healthy, and that nobody restores in its batch. */
const left = (id: string, updateDomain = 0): LifeOptions => ({
  ...{ id, updateDomain, healthyAfter: null, restoredTo: null },
});

/** The restore of one that was left, in a minute. @param start seconds after the beginning */
function restore(lines: JournalEntry[], id: string, start: number): JournalEntry[] {
  const swap = lines.find((e) => e.instanceId === id && e.operation === 'osDisk.swap') as JournalEntry;
  const back = { ...swap, operation: 'osDisk.restore' as const, fromVersion: '2.0.0', toVersion: '1.0.0' };
  return [
    { ...back, at: T0 + start * SECOND, event: 'started' },
    { ...back, at: T0 + (start + 60) * SECOND, event: 'succeeded' },
  ];
}

describe('an audit of restores', () => {
  it('blames nobody for one that failed and was deleted before it could be restored (B6)', () => {
    const lines = attempt([[left('0')]]);
    expect(found(lines)).toEqual([expect.stringContaining('B6 not restored after HealthTimeout')]);
    const gone = lines.map((e) =>
      e.operation === 'batch' && e.event === 'succeeded'
        ? { ...e, observed: { ...e.observed, gone: ['0'] } }
        : e,
    );
    expect(found(gone)).toEqual([]);
  });

  it('finds one in a manual attempt, also where the policy rolls automatic ones back (B6)', () => {
    const policy = { rollbackFailedInstancesOnPolicyBreach: true };
    const by = { startedBy: 'User' as const, restoresOnFailure: false };
    const lines = attempt([[{ id: '0', healthyAfter: null }]], { policy, by, status: 'Faulted' });
    expect(found(lines)).toEqual(['B6 restored in a manual attempt.']);
  });

  it('finds one in an automatic attempt that restores nothing, unless its policy rolls back (B6, B7)', () => {
    const restored = (rollsBack: boolean) =>
      found(
        attempt([[{ id: '0', healthyAfter: null }]], {
          policy: { rollbackFailedInstancesOnPolicyBreach: rollsBack },
          by: { restoresOnFailure: false },
          status: 'Faulted',
        }),
      );
    expect(restored(true)).toEqual([]);
    expect(restored(false)).toEqual(['B6 restored in this attempt.']);
  });

  describe('after the policy was broken (B7)', () => {
    const policy = { rollbackFailedInstancesOnPolicyBreach: true, maxUnhealthyUpgradedInstancePercent: 100 };
    const by = { restoresOnFailure: false };
    const lines = attempt([[left('0')], [left('1', 1)]], { policy, by, size: 5, status: 'Faulted' });
    const ends = (seconds: number): JournalEntry[] =>
      lines.map((e) =>
        e.operation === 'attempt' && e.event === 'failed' ? { ...e, at: T0 + seconds * SECOND } : e,
      );

    it('finds nothing in those that are restored one place after the other, long after their batches', () => {
      expect(found([...ends(1_000), ...restore(lines, '0', 800), ...restore(lines, '1', 860)])).toEqual([]);
    });

    it('finds those that are restored at once, beyond a batch and its update domain (B2, B3)', () => {
      const all = found([...ends(1_000), ...restore(lines, '0', 800), ...restore(lines, '1', 830)]);
      expect(all).toContainEqual('B2 2 instances at once, 1 may be.');
      expect(all).toContainEqual(expect.stringContaining('in two update domains at once'));
    });
  });
});
