import { describe, expect, it } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.ts';
import type { JournalEntry } from '../../src/domain/operation.ts';
import { checkJournal, type FleetFacts } from '../support/journal-checks.ts';

const T0 = Date.UTC(2025, 11, 6);

interface Life {
  set?: string;
  id?: string;
  attempt?: string;
  region?: string;
  zone?: string | null;
  updateDomain?: number;
  /** Seconds after `T0` at which its swap starts. */
  from?: number;
  /** Seconds after its last extension at which it becomes healthy; null: never, and it is restored. */
  healthyAfter?: number | null;
  restoredTo?: string;
}

/** The journal of one instance's upgrade: a swap of a minute, an extension of half a minute, the wait, a restore. */
function upgrade(life: Life = {}): JournalEntry[] {
  const {
    set = 'web',
    id = '0',
    attempt = `${set}-1`,
    region = 'eastus',
    zone = null,
    updateDomain = 0,
  } = life;
  const { from = 0, healthyAfter = 30, restoredTo = '1.0.0' } = life;
  const entry = (
    seconds: number,
    operation: JournalEntry['operation'],
    event: JournalEntry['event'],
    change: Partial<JournalEntry> = {},
  ): JournalEntry => ({
    at: T0 + (from + seconds) * SECOND,
    operation,
    event,
    scaleSetId: `/sets/${set}`,
    instanceId: id,
    region,
    zone,
    updateDomain,
    rolloutId: 'r',
    attemptId: attempt,
    fromVersion: '1.0.0',
    toVersion: '2.0.0',
    detail: null,
    error: null,
    ...change,
  });
  const back = { fromVersion: '2.0.0', toVersion: restoredTo };
  return [
    entry(0, 'osDisk.swap', 'started'),
    entry(60, 'osDisk.swap', 'succeeded'),
    entry(60, 'extension.run', 'started', { detail: 'app' }),
    entry(90, 'extension.run', 'succeeded', { detail: 'app' }),
    entry(90, 'health.wait', 'started'),
    ...(healthyAfter === null
      ? [
          entry(90 + 300, 'health.wait', 'failed'),
          entry(400, 'osDisk.restore', 'started', back),
          entry(460, 'osDisk.restore', 'succeeded', back),
        ]
      : [entry(90 + healthyAfter, 'health.wait', 'succeeded')]),
  ];
}

const facts: FleetFacts = {
  setSizes: { '/sets/web': 10, '/sets/SQL': 4, '/sets/cross': 10 },
  pairs: [['eastus', 'westus']],
};
const check = (entries: JournalEntry[], more: Partial<FleetFacts> = {}) =>
  checkJournal(entries, { ...facts, ...more });

/** A journal without the entries of which `drop` is true, or with them changed. */
function without(entries: JournalEntry[], drop: (entry: JournalEntry) => boolean): JournalEntry[] {
  return entries.filter((entry) => !drop(entry));
}

describe('a good journal', () => {
  it.each([
    ['of nothing', []],
    ['of one instance', upgrade()],
    ['of a batch of two', [...upgrade({ id: '0' }), ...upgrade({ id: '1' })]],
    [
      'of batches that touch',
      [...upgrade({ zone: '1' }), ...upgrade({ id: '1', zone: '2', updateDomain: 1, from: 120 })],
    ],
    ['of a restore', upgrade({ healthyAfter: null })],
    [
      'of two attempts at one instance',
      [...upgrade({ healthyAfter: null }), ...upgrade({ attempt: 'web-2', from: 1000 })],
    ],
    [
      'of paired regions one after the other',
      [...upgrade(), ...upgrade({ set: 'sql', region: 'westus', from: 120 })],
    ],
    ['of regions that are no pair', [...upgrade(), ...upgrade({ set: 'sql', region: 'uksouth' })]],
    [
      'of a zone shared by two sets',
      [...upgrade({ zone: '1' }), ...upgrade({ set: 'sql', zone: '1', from: 10 })],
    ],
  ])('%s has no violations', (_, entries) => {
    expect(check(entries)).toEqual([]);
  });

  it('of a set that may span zones has none either, as long as it is alone', () => {
    const cross = [
      ...upgrade({ set: 'cross', id: '0', zone: '1' }),
      ...upgrade({ set: 'cross', id: '1', zone: '2' }),
    ];
    expect(check(cross)).toHaveLength(2);
    const crossZoneSets = ['/sets/CROSS'];
    expect(check(cross, { crossZoneSets })).toEqual([]);
    expect(check([...cross, ...upgrade({ zone: '1' })], { crossZoneSets })).toEqual([
      expect.stringContaining('two zones of a region'),
    ]);
  });
});

describe('a violation is found:', () => {
  it.each<[string, JournalEntry[]]>([
    ['instances at once', ['0', '1', '2'].flatMap((id) => upgrade({ id }))],
    [
      'instances at once',
      [...upgrade({ set: 'sql', id: '0' }), ...upgrade({ set: 'sql', id: '1', from: 119 })],
    ],
    // Until it is restored an instance is out of service.
    [
      'instances at once',
      [...upgrade({ set: 'sql', healthyAfter: null }), ...upgrade({ set: 'sql', id: '1', from: 459 })],
    ],
    ['size is not known', upgrade({ set: 'unknown' })],
    ['two update domains', [...upgrade(), ...upgrade({ id: '1', updateDomain: 1, from: 119 })]],
    ['two zones at', [...upgrade({ zone: '1' }), ...upgrade({ id: '1', zone: '2', from: 119 })]],
    ['two zones of a region', [...upgrade({ zone: '1' }), ...upgrade({ set: 'sql', zone: '2', from: 119 })]],
    ['both regions of a pair', [...upgrade(), ...upgrade({ set: 'sql', region: 'westus', from: 119 })]],
    ['swapped 2 times in one attempt', [...upgrade(), ...upgrade({ from: 1000 })]],
    ['restored to 0.9.0, it ran 1.0.0', upgrade({ healthyAfter: null, restoredTo: '0.9.0' })],
    [
      'restored without a swap',
      without(upgrade({ healthyAfter: null }), (entry) => entry.operation === 'osDisk.swap'),
    ],
    [
      'restored although it was healthy in time',
      upgrade({ healthyAfter: null }).map((entry) =>
        entry.operation === 'health.wait' && entry.event === 'failed'
          ? { ...entry, event: 'succeeded', at: T0 + 3 * MINUTE }
          : entry,
      ),
    ],
    ['healthy only 301 s after', upgrade({ healthyAfter: 301 })],
    ['health.wait of web/0 (attempt web-1): ended 0 times', upgrade().slice(0, -1)],
    ['osDisk.swap of web/0 (attempt web-1): started 0 times', upgrade().slice(1)],
    [
      'extension.run app of web/0 (attempt web-1): ended 2 times',
      [...upgrade(), upgrade()[3] as JournalEntry],
    ],
    [
      'ended before it started',
      upgrade().map((entry) => (entry.event === 'started' ? { ...entry, at: entry.at + MINUTE * 2 } : entry)),
    ],
  ])('%s', (violation, entries) => {
    expect(check(entries)).toContainEqual(expect.stringContaining(violation));
  });

  it('an instance that nobody brings to an end blocks its set for ever', () => {
    const open = without(
      upgrade(),
      (entry) => entry.operation === 'health.wait' && entry.event === 'succeeded',
    );
    const later = upgrade({ id: '1', updateDomain: 1, from: 100_000 });
    expect(check([...open, ...later])).toContainEqual(expect.stringContaining('two update domains'));
  });
});
