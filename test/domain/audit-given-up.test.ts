import { describe, expect, it } from 'vitest';
import { auditJournal } from '../../src/audit/index.ts';
import { SECOND } from '../../src/domain/clock.ts';
import type { JournalEntry } from '../../src/domain/operation.ts';
import { T0, attempt, type LifeOptions } from './audit-journal.ts';

const zone = (name: string): LifeOptions => ({ id: '0', zone: name });
const rulesOf = (entries: readonly JournalEntry[]) =>
  auditJournal(entries, []).violations.map(({ rule }) => rule);

/** A set in zone 1 of which nothing is known any more from the 60th second on, and another one in zone 2 from the 2,000th. */
const halfDone = attempt([[zone('1')]], { set: 'web', status: null }).filter(
  ({ at, operation, event }) => at <= T0 + 60 * SECOND && !(operation === 'batch' && event === 'succeeded'),
);
const other = attempt([[zone('2')]], { set: 'api', start: 2_000 });
const { instanceId: _, ...line } = halfDone[0] as JournalEntry;
const giveUp = (second: number): JournalEntry => ({
  ...{
    ...line,
    instanceId: '',
    at: T0 + second * SECOND,
    operation: 'giveUp',
    event: 'failed',
    detail: null,
  },
});

describe('an audit of zones (D4)', () => {
  it('takes what is half done to last for ever, unless it was given up before', () => {
    expect(rulesOf([...halfDone, ...other])).toEqual(['D4']);
    expect(rulesOf([...halfDone, giveUp(2_010), ...other])).toEqual(['D4']);
    expect(rulesOf([...halfDone, giveUp(1_900), ...other])).toEqual([]);
  });

  it('judges what is done after it was taken up again', () => {
    const swap = halfDone.find((one) => one.operation === 'osDisk.swap') as JournalEntry;
    const restore = (second: number): JournalEntry => ({
      ...{ ...swap, operation: 'osDisk.restore', fromVersion: '2.0.0', toVersion: '1.0.0' },
      at: T0 + second * SECOND,
    });
    const again = (second: number) => [...halfDone, giveUp(1_900), ...other, restore(second)];
    expect(rulesOf(again(2_050))).toContain('D4');
    expect(rulesOf(again(9_000))).not.toContain('D4');
  });
});
