import { describe, expect, it } from 'vitest';
import { auditJournal } from '../../src/audit/index.ts';
import { SECOND } from '../../src/domain/clock.ts';
import type { JournalEntry } from '../../src/domain/operation.ts';
import { T0, attempt, type LifeOptions } from './audit-journal.ts';

/** A set of ten, of which a batch may have two (rule B2). */
const two = (first: number): LifeOptions[] => [{ id: String(first) }, { id: String(first + 1) }];

/** What is wrong, as `B2 message`. */
const found = (...entries: JournalEntry[][]) =>
  auditJournal(entries.flat(), []).violations.map(({ rule, message }) => `${rule} ${message}`);

/** What of a journal was written until so many seconds after its beginning. */
const until = (second: number, entries: JournalEntry[]) =>
  entries.filter(({ at }) => at <= T0 + second * SECOND);

/** An attempt that was begun, and whose two VMs nobody brings to an end. */
const halfDone = until(60, attempt([two(0)], { status: null }));
const kinds = ['osUpgrade', 'modelUpgrade', 'revert', 'repair', 'modelUpdate'] as const;

describe('an audit of all that is done to a set (B2)', () => {
  it.each(kinds)('finds nothing where a %s follows what has ended', (kind) => {
    const next = attempt([two(2)], { number: 2, start: 1_000, by: { kind, restoresOnFailure: false } });
    expect(found(attempt([two(0)]), next)).toEqual([]);
  });

  it.each(kinds)('finds a %s that is begun beside what another attempt has half done', (kind) => {
    const next = attempt([two(2)], { number: 2, start: 1_000, by: { kind, restoresOnFailure: false } });
    const excess = 'B2 3 instances out of service at once by web-1 and web-2, 2 may be.';
    expect(found(halfDone, next)).toContain(excess);
    // Given up: nobody acts for it, and its VMs are as much out of service as before.
    const { instanceId: _, ...line } = halfDone[0] as JournalEntry;
    const giveUp = { ...line, instanceId: '', at: T0 + 900 * SECOND, detail: null };
    const givenUp: JournalEntry[] = [{ ...giveUp, operation: 'giveUp', event: 'failed' }];
    expect(found(halfDone, givenUp, next)).toContain(excess);
  });

  it('takes what no batch has ended to be out of service, also when all that was begun there has ended', () => {
    const swapped = (entry: JournalEntry) => entry.operation !== 'batch' || entry.event === 'started';
    const closed = attempt([two(0)]).filter(
      (entry) => (entry.at <= T0 + 60 * SECOND || entry.operation === 'attempt') && swapped(entry),
    );
    const settled = closed.filter(({ operation }) => operation !== 'extension.run');
    const again = attempt([two(0), two(2)], { number: 2, start: 1_000 });
    expect(found(settled, attempt([two(2)], { number: 2, start: 1_000 }))).toContain(
      'B2 3 instances out of service at once by web-1 and web-2, 2 may be.',
    );
    expect(found(settled, again).filter((one) => one.startsWith('B2'))).toEqual([]);
  });

  it('finds what goes on after its attempt has ended, when the next one begins', () => {
    const ended = attempt([two(0)]).map((entry) =>
      entry.instanceId === '1' && entry.operation === 'health.wait' && entry.event === 'succeeded'
        ? { ...entry, at: entry.at + 500 * SECOND }
        : entry,
    );
    expect(found(ended, attempt([two(2)], { number: 2, start: 200 }))).toContain(
      'B2 3 instances out of service at once by web-1 and web-2, 2 may be.',
    );
    expect(found(ended, attempt([two(2)], { number: 2, start: 700 }))).not.toContain(
      expect.stringMatching(/^B2/),
    );
  });

  it('leaves an update to the model its one batch of all (B14), and no more', () => {
    const all = [...two(0), ...two(2), ...two(4), ...two(6), ...two(8)];
    const by = { kind: 'modelUpdate' as const, restoresOnFailure: false };
    expect(found(attempt([all], { by }))).toEqual([]);
    const upgrade = attempt([two(10)], { number: 2, start: 30 });
    expect(found(attempt([all], { by }), upgrade)).toContain(
      'B2 11 instances out of service at once by web-1 and web-2, 10 may be.',
    );
  });
});
