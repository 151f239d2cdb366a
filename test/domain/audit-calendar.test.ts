import { describe, expect, it } from 'vitest';
import { auditJournal } from '../../src/audit/index.ts';
import {
  ruleScope,
  type CalendarRule,
  type RuleDefinition,
  type RuleScope,
} from '../../src/domain/calendar.ts';
import { HOUR } from '../../src/domain/clock.ts';
import type { JournalEntry } from '../../src/domain/operation.ts';
import { T0, attempt } from './audit-journal.ts';

/** `T0` is midnight in UTC, on a Saturday. */
const batches = (number = 1) => attempt([[{ id: '0' }]], { number });
const EASTUS: RuleScope = { kind: 'region', region: 'eastus' };

const rule = (scope: RuleScope, definition: RuleDefinition, id = `${definition.kind}-1`): CalendarRule => ({
  ...definition,
  id,
  scope: ruleScope(scope),
  who: 'ada',
  why: 'so agreed',
  at: T0,
});
const open = (scope: RuleScope, start: string, id?: string) =>
  rule(
    scope,
    { kind: 'window', window: { days: ['sat'], start, zone: 'UTC', length: { duration: HOUR } } },
    id,
  );
const freeze = rule({ kind: 'all' }, { kind: 'freeze', from: T0 - HOUR, until: T0 + HOUR });
const override = rule({ kind: 'rollout', rolloutId: 'r' }, { kind: 'override', until: T0 + HOUR });

/** The line of the journal about a rule that is laid down, or taken back. */
const line = (about: CalendarRule, event: 'started' | 'succeeded' = 'started'): JournalEntry => ({
  at: T0,
  operation: about.kind,
  event,
  scaleSetId: '',
  instanceId: '',
  region: '',
  zone: null,
  updateDomain: null,
  rolloutId: '',
  attemptId: '',
  fromVersion: null,
  toVersion: null,
  detail: about.id,
  error: null,
  observed: { rule: about, ...(event === 'succeeded' ? { removed: { who: 'ada', why: 'done' } } : {}) },
});

const audited = (entries: readonly JournalEntry[]) => auditJournal(entries, []);
const found = (entries: readonly JournalEntry[]) =>
  audited(entries).violations.map(({ rule: broken, message }) => `${broken} ${message}`);

describe('an audit of when batches began', () => {
  it.each<[string, JournalEntry[]]>([
    ['inside of a window', [line(open(EASTUS, '00:00')), ...batches()]],
    [
      'in the window of the region, whatever those of everything',
      [line(open({ kind: 'all' }, '05:00')), line(open(EASTUS, '00:00', 'window-2')), ...batches()],
    ],
    ['before a freeze was laid down at the same moment', [...batches(), line(freeze)]],
    ['after a freeze was taken back', [line(freeze), line(freeze, 'succeeded'), ...batches()]],
    ['in a freeze that was overridden', [line(freeze), line(override), ...batches()]],
    [
      'by hand, in a freeze',
      [line(freeze), ...attempt([[{ id: '0' }]], { by: { startedBy: 'User', restoresOnFailure: false } })],
    ],
  ])('finds nothing: %s', (_, entries) => {
    expect(found(entries)).toEqual([]);
    expect(audited(entries).counts.leftOut).toBe(0);
  });

  it.each<[string, JournalEntry[]]>([
    ['D10 Batch 1: began in freeze-1 (ada: so agreed).', [line(freeze), ...batches()]],
    ['D10 Batch 1: began outside of window-1.', [line(open(EASTUS, '05:00')), ...batches()]],
    [
      'D10 Batch 1: began outside of window-2.',
      [line(open({ kind: 'all' }, '00:00')), line(open(EASTUS, '05:00', 'window-2')), ...batches()],
    ],
    [
      'D10 Batch 1: began in freeze-1 (ada: so agreed).',
      [line(freeze), line(override), line(override, 'succeeded'), ...batches()],
    ],
  ])('finds %s', (message, entries) => {
    expect(found(entries)).toEqual([message]);
  });

  it('counts the batches that any window or freeze was about', () => {
    const entries = [...batches(), line(freeze), line(override), ...batches(2)];
    const checked = audited(entries).checks.find(({ rule: number }) => number === 'D10');
    expect(checked).toMatchObject({ unit: 'batch', cases: 1, violations: [] });
  });
});
