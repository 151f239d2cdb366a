import { describe, expect, it } from 'vitest';
import { auditJournal } from '../../src/audit/index.ts';
import { SECOND } from '../../src/domain/clock.ts';
import type { JournalEntry } from '../../src/domain/operation.ts';
import { T0, attempt, type AttemptOptions, type LifeOptions } from './audit-journal.ts';

const PAIRS = [['eastus', 'westus']] as const;

/** What an audit finds, as `B2 message`. */
function found(entries: readonly JournalEntry[]): string[] {
  return auditJournal(entries, PAIRS).violations.map(({ rule, message }) => `${rule} ${message}`);
}

const two = (change: LifeOptions = {}): LifeOptions[] => [
  { id: '0', ...change },
  { id: '1', ...change },
];
const one = (change: LifeOptions = {}): LifeOptions[] => [{ id: '0', ...change }];
const failed: LifeOptions = { healthyAfter: null };

/** The lines of a journal, some of them changed. */
function changed(
  entries: JournalEntry[],
  which: (entry: JournalEntry) => boolean,
  change: (entry: JournalEntry) => JournalEntry[],
): JournalEntry[] {
  return entries.flatMap((entry) => (which(entry) ? change(entry) : [entry]));
}

/** Two batches, the first in zone 1 and update domain 0; the second begins elsewhere with these still pending. */
function leaving(pending: Record<string, number>, zone: string, updateDomain: number): JournalEntry[] {
  const lines = attempt([one({ zone: '1' }), [{ id: '1', zone, updateDomain }]]);
  const second = (e: JournalEntry) => is('batch', 'started')(e) && e.detail === '2';
  return changed(lines, second, (e) => [{ ...e, observed: { ...e.observed, pending } }]);
}

const is = (operation: string, event: string) => (entry: JournalEntry) =>
  entry.operation === operation && entry.event === event;

describe('an audit of a good journal finds nothing', () => {
  it.each<[string, JournalEntry[]]>([
    ['of nothing', []],
    ['of one batch', attempt([two()])],
    ['of batches in turn', attempt([two({ zone: '1' }), [{ id: '2', zone: '2', updateDomain: 1 }]])],
    ['of a restore', attempt([[{ id: '0', ...failed }]], { status: 'Faulted' })],
    ['of two attempts', [...attempt([one()]), ...attempt([one()], { number: 2, start: 1_000 })]],
    [
      'of a pair in turn',
      [...attempt([one()]), ...attempt([one()], { set: 'b', region: 'westus', start: 900 })],
    ],
    [
      'of regions that are no pair',
      [...attempt([one()]), ...attempt([one()], { set: 'b', region: 'uksouth' })],
    ],
    [
      'of two sets in one zone',
      [...attempt([one({ zone: '1' })]), ...attempt([one({ zone: '1' })], { set: 'b' })],
    ],
    ['of an attempt that runs', attempt([two()], { status: null }).slice(0, -3)],
    [
      'of a set that may span zones',
      attempt(
        [
          [
            { id: '0', zone: '1' },
            { id: '1', zone: '2' },
          ],
        ],
        { policy: { enableCrossZoneUpgrade: true } },
      ),
    ],
    [
      'of an update of all at once',
      attempt([[...two(), { id: '2', updateDomain: 1 }]], { size: 3, by: { kind: 'modelUpdate' } }),
    ],
    ['of one that became healthy at the very last moment', attempt([one({ healthyAfter: 300 })])],
    [
      'of a new disk of the same version, by an update to the model',
      attempt([one({ from: '2.0.0' })], { by: { kind: 'modelUpdate' } }),
    ],
    [
      'of a manual failure, not restored',
      attempt([one({ ...failed, restoredTo: null })], {
        by: { startedBy: 'User', restoresOnFailure: false },
        status: 'Faulted',
      }),
    ],
    [
      'of an expired credential',
      attempt([one({ extensionError: 'CredentialExpired: x' })], { status: 'Faulted' }),
    ],
  ])('%s', (_, entries) => {
    expect(found(entries)).toEqual([]);
  });

  it('and says what it looked at', () => {
    const { counts, checks } = auditJournal(attempt([two(), [{ id: '2' }]]), PAIRS);
    expect(counts).toMatchObject({ attempts: 1, batches: 2, instances: 3 });
    expect(checks.find(({ rule }) => rule === 'B1')).toMatchObject({ cases: 1 });
    expect(checks.find(({ rule }) => rule === 'B9')).toMatchObject({ cases: 1 });
  });
});

describe('an audit finds', () => {
  const manual: AttemptOptions = { by: { startedBy: 'User', restoresOnFailure: false } };
  it.each<[string, JournalEntry[]]>([
    ['B1 Batch 1: began with 3 of 10', attempt([one()], { unhealthy: 3 })],
    ['B8 Batch 2: began with 3 of 10', attempt([one(), [{ id: '1' }]], { unhealthy: 3 })],
    ['B2 Batch 1: took 3 of 10', attempt([[...two(), { id: '2' }]])],
    ['B2 Batch 1: took 2 of 9', attempt([two()], { size: 9 })],
    [
      'B2 3 instances at once',
      changed(
        attempt([two(), [{ id: '2' }]]),
        (e) => e.instanceId === '2',
        (e) => [{ ...e, at: e.at - 100 * SECOND }],
      ),
    ],
    [
      'B3 0 and 1 were upgraded in two update domains',
      attempt([[{ id: '0' }, { id: '1', updateDomain: 1 }]]),
    ],
    [
      'B3 0 and 1 were upgraded in two zones',
      attempt([
        [
          { id: '0', zone: '1' },
          { id: '1', zone: '2' },
        ],
      ]),
    ],
    ['B3 Batch 2: began before batch 1 had ended', attempt([one(), [{ id: '1' }]], { pause: -60 })],
    ['B3 Batch 2: began in zone 2, 3 were left in zone 1', leaving({ '1/0': 1, '1/1': 2, '2/0': 1 }, '2', 0)],
    ['B3 Batch 2: 1 were left in update domain 0', leaving({ '1/0': 1, '1/1': 2 }, '1', 1)],
    ['B4 swapped 2 times', attempt([one(), one()])],
    [
      'B4 osDisk.swap came after extension.run',
      changed(
        attempt([one()]),
        (e) => e.operation === 'osDisk.swap',
        (e) => [{ ...e, at: e.at + 61 * SECOND }],
      ),
    ],
    [
      'B4 its osDisk.restore has no end',
      changed(attempt([one(failed)], { status: 'Faulted' }), is('osDisk.restore', 'succeeded'), () => []),
    ],
    ['B5 healthy only after 301 s', attempt([one({ healthyAfter: 301 })])],
    [
      'B5 the wait did not begin at the end of its last extension',
      changed(attempt([one()]), is('health.wait', 'started'), (e) => [{ ...e, at: e.at + 5 * SECOND }]),
    ],
    [
      'B6 restored although it was healthy',
      changed(attempt([one(failed)]), is('health.wait', 'failed'), (e) => [
        { ...e, event: 'succeeded', error: null },
      ]),
    ],
    ['B6 restored in a manual attempt', attempt([one(failed)], manual)],
    ['B6 restored to 0.9.0, it ran 1.0.0', attempt([one({ ...failed, restoredTo: '0.9.0' })])],
    [
      'B6 restored without a swap',
      changed(
        attempt([one(failed)]),
        (e) => e.operation === 'osDisk.swap',
        () => [],
      ),
    ],
    ['B6 not restored after HealthTimeout', attempt([one({ ...failed, restoredTo: null })])],
    [
      'B7 Batch 2: began after 1 of 2 had failed',
      attempt([[{ id: '0' }, { id: '1', ...failed }], [{ id: '2' }]]),
    ],
    [
      'B9 Batch 2: began 0 ms after the one before',
      attempt([one(), [{ id: '1' }]], { policy: { pauseTimeBetweenBatches: 60_000 } }),
    ],
    ['B10 it ran 2.0.0 already', attempt([one({ from: '2.0.0' })])],
    ['B10 it ran 2.0.0 already', attempt([one({ from: '2.0.0' })], { by: { kind: 'revert' } })],
    [
      'B11 Batch 2: began after CredentialExpired',
      attempt([one({ extensionError: 'CredentialExpired: x' }), [{ id: '1' }]]),
    ],
    [
      'B11 completed in spite of CredentialExpired',
      attempt([one({ extensionError: 'CredentialExpired: x' })]),
    ],
    [
      'B12 began before attempt web-1 had ended',
      [...attempt([one()]), ...attempt([[{ id: '1' }]], { number: 2, start: 119 })],
    ],
    [
      'D1 web/0 (eastus) and b/0 (westus) at once',
      [...attempt([one()]), ...attempt([one()], { set: 'b', region: 'westus', start: 119 })],
    ],
    [
      'D4 web/0 (zone 1) and b/0 (zone 2) at once',
      [...attempt([one({ zone: '1' })]), ...attempt([one({ zone: '2' })], { set: 'b', start: 119 })],
    ],
    [
      'E4 Batch 1: 2 members and 1 outcomes',
      changed(attempt([two()]), is('batch', 'succeeded'), (e) => [
        { ...e, observed: { outcomes: { upgraded: 1 } } },
      ]),
    ],
    [
      'E4 extension.run app ended twice',
      changed(attempt([one()]), is('extension.run', 'succeeded'), (e) => [e, e]),
    ],
    [
      'E4 osDisk.swap ended without a start',
      changed(attempt([one()]), is('osDisk.swap', 'started'), () => []),
    ],
    ['E4 osDisk.swap started twice', changed(attempt([one()]), is('osDisk.swap', 'started'), (e) => [e, e])],
  ])('%s', (violation, entries) => {
    expect(found(entries)).toContainEqual(expect.stringContaining(violation));
  });

  it('a credential that expired and a restore all the same (B11)', () => {
    const lines = attempt([one({ extensionError: 'CredentialExpired: x' })], { status: 'Faulted' });
    const swap = lines.find(is('osDisk.swap', 'started')) as JournalEntry;
    const restore = { ...swap, operation: 'osDisk.restore' as const, at: T0 + 200 * SECOND };
    expect(found([...lines, restore, { ...restore, event: 'succeeded' }])).toContainEqual(
      expect.stringContaining('B11 0 was restored after CredentialExpired'),
    );
  });

  it('an instance that nobody brings to an end: it blocks its set for ever (B3)', () => {
    const open = attempt([one(), [{ id: '1', updateDomain: 1 }]]).filter(
      (entry) => entry.instanceId !== '0' || !is('health.wait', 'succeeded')(entry),
    );
    expect(found(open)).toContainEqual(expect.stringContaining('two update domains'));
  });

  it('an operation that has no end although its attempt has (E4)', () => {
    const open = changed(attempt([one()]), is('health.wait', 'succeeded'), () => []);
    expect(found(open)).toContainEqual('E4 something that was begun has no end.');
    const running = attempt([one()], { status: null }).filter((e) => !is('health.wait', 'succeeded')(e));
    expect(found(running)).toEqual([]);
  });

  it('no fault in what has no end since the instance, or the set, was deleted', () => {
    const open = changed(attempt([one(), [{ id: '1', updateDomain: 1 }]]), is('batch', 'succeeded'), (e) => [
      { ...e, observed: { ...e.observed, gone: ['0'] } },
    ]).filter((e) => e.instanceId !== '0' || !is('health.wait', 'succeeded')(e));
    expect(found(open)).toEqual([]);
    const deleted = attempt([one()])
      .slice(0, -3)
      .concat({
        ...(attempt([]).at(-1) as JournalEntry),
        at: T0 + 300 * SECOND,
        error: 'ScaleSetDeleted: x',
      });
    expect(found(deleted)).toEqual([]);
  });

  it('a breach by what was seen, though every wait went well; and none by instances that were deleted (B7)', () => {
    const second = (e: JournalEntry) => is('batch', 'started')(e) && e.detail === '2';
    const seen = (lines: JournalEntry[], upgraded: number, upgradedUnhealthy: number) =>
      found(
        changed(lines, second, (e) => [{ ...e, observed: { ...e.observed, upgraded, upgradedUnhealthy } }]),
      );
    expect(seen(attempt([two(), [{ id: '2' }]]), 2, 1)).toEqual([
      'B7 Batch 2: began after 1 of 2 had failed (limit 20%).',
    ]);
    expect(seen(attempt([[{ id: '0' }, { id: '1', ...failed }], [{ id: '2' }]]), 1, 0)).toEqual([]);
  });

  it('nothing between gallery rollouts of paired regions, and between zones of two images (D1, D4)', () => {
    const gallery = { imageKind: 'gallery' as const, image: '/galleries/g/images/i' };
    const pair = [...attempt([one()]), ...attempt([one()], { set: 'b', region: 'westus', by: gallery })];
    expect(found(pair)).toEqual([]);
    const zones = [
      ...attempt([one({ zone: '1' })]),
      ...attempt([one({ zone: '2' })], { set: 'b', by: gallery }),
    ];
    expect(found(zones)).toEqual([]);
  });

  it('nothing between manual upgrades of paired regions and of zones: D1 and D4 bind automatic ones', () => {
    const by = { startedBy: 'User' as const, restoresOnFailure: false };
    const entries = [
      ...attempt([one({ zone: '1' })], { by }),
      ...attempt([one({ zone: '2' })], { set: 'b', by }),
      ...attempt([one()], { set: 'c', region: 'westus', by }),
    ];
    expect(found(entries)).toEqual([]);
  });
});

describe('an audit of one rollout', () => {
  const clash = [...attempt([one()]), ...attempt([one()], { set: 'b', region: 'westus', rollout: 'other' })];
  const ofOther = attempt([one({ healthyAfter: 301 })], { set: 'c', region: 'uksouth', rollout: 'other' });

  it('leaves the faults of others out, and finds what it has in common with them', () => {
    const { violations, counts } = auditJournal([...clash, ...ofOther], PAIRS, 'R');
    expect(violations.map(({ rule }) => rule)).toEqual(['D1']);
    expect(counts).toMatchObject({ attempts: 1, instances: 1 });
    expect(auditJournal([...ofOther, ...attempt([one()])], PAIRS, 'r').violations).toEqual([]);
  });

  it('finds what it has in common with another on one set, whichever came first (B12)', () => {
    const other = attempt([[{ id: '1' }]], { number: 2, start: 60, rollout: 'other' });
    for (const rollout of ['r', 'other']) {
      const { violations } = auditJournal([...attempt([one()]), ...other], PAIRS, rollout);
      expect(violations.map(({ rule }) => rule)).toEqual(['B12']);
    }
    const third = attempt([[{ id: '2' }]], { number: 3, start: 2_000, rollout: 'third' });
    expect(auditJournal([...attempt([one()]), ...other, ...third], PAIRS, 'third').violations).toEqual([]);
  });

  it('names what is still open instead of blaming it', () => {
    const { open, violations } = auditJournal(attempt([two()], { status: null }).slice(0, -3), PAIRS);
    expect(violations).toEqual([]);
    expect(open).toEqual([{ attemptId: 'web-1', scaleSetId: '/sets/web', since: T0, batch: 1 }]);
  });
});
