import { describe, expect, it } from 'vitest';
import {
  closedText,
  openingAt,
  parseRuleScope,
  ruleScope,
  type CalendarRule,
  type Opening,
  type RuleDefinition,
  type RuleScope,
} from '../../src/domain/calendar.ts';
import { HOUR, isoTime } from '../../src/domain/clock.ts';
import { WEEKDAYS } from '../../src/domain/maintenance-window.ts';
import { isTimeZone, parseMoment, similarTimeZones } from '../../src/domain/time-zone.ts';

const SET = '/subscriptions/s/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachineScaleSets/web';
const PLACE = { rolloutId: 'rollout/jammy/2/1', region: 'eastus', scaleSetId: SET };
const ALL: RuleScope = { kind: 'all' };
const REGION: RuleScope = { kind: 'region', region: 'eastus' };
const OWN: RuleScope = { kind: 'scaleSet', scaleSetId: SET.toUpperCase() };
const ROLLOUT: RuleScope = { kind: 'rollout', rolloutId: PLACE.rolloutId };

/** 10:00 UTC on a Monday. */
const NOW = Date.parse('2026-01-05T10:00Z');

let number = 0;
const rule = (scope: RuleScope, definition: RuleDefinition): CalendarRule => ({
  ...definition,
  id: `${definition.kind}-${++number}`,
  scope: ruleScope(scope),
  who: 'ada',
  why: 'so agreed',
  at: NOW,
});
/** From and for so many hours of every day, in UTC. */
const daily = (scope: RuleScope, start: string, hours: number) =>
  rule(scope, {
    kind: 'window',
    window: { days: [...WEEKDAYS], start, zone: 'UTC', length: { duration: hours * HOUR } },
  });
/** Both in hours from now. */
const freeze = (scope: RuleScope, from: number, until: number) =>
  rule(scope, { kind: 'freeze', from: NOW + from * HOUR, until: NOW + until * HOUR });
const override = (scope: RuleScope, hours: number) =>
  rule(scope, { kind: 'override', until: NOW + hours * HOUR });

/** `open`, `overridden`, or when it opens. */
function said(opening: Opening): string {
  if (opening.open) return opening.override ? 'overridden' : 'open';
  return opening.until === null ? 'never' : isoTime(opening.until).slice(0, 16);
}

describe('whether a batch may begin', () => {
  it.each<[string, CalendarRule[], string]>([
    ['always, without rules', [], 'open'],
    ['inside of a window', [daily(ALL, '09:00', 2)], 'open'],
    ['not outside: when it opens', [daily(ALL, '22:00', 2)], '2026-01-05T22:00'],
    ['windows of one scope add up', [daily(ALL, '22:00', 2), daily(ALL, '09:00', 2)], 'open'],
    [
      'the window that opens first counts',
      [daily(ALL, '22:00', 2), daily(ALL, '12:00', 2)],
      '2026-01-05T12:00',
    ],
    [
      "a region's windows go before those of everything",
      [daily(ALL, '09:00', 2), daily(REGION, '22:00', 2)],
      '2026-01-05T22:00',
    ],
    ["a set's own go before its region's", [daily(REGION, '22:00', 2), daily(OWN, '09:00', 2)], 'open'],
    [
      'windows of another region or set do not count',
      [
        daily({ kind: 'region', region: 'westus' }, '22:00', 2),
        daily({ kind: 'scaleSet', scaleSetId: `${SET}-2` }, '22:00', 2),
      ],
      'open',
    ],
    ['not in a freeze', [freeze(ALL, -1, 5)], '2026-01-05T15:00'],
    ['before and after a freeze', [freeze(ALL, 1, 5), freeze(ALL, -5, 0)], 'open'],
    [
      'freezes of all scopes add up',
      [freeze(OWN, -1, 5), freeze(ALL, 4, 8), freeze(REGION, -3, -2)],
      '2026-01-05T18:00',
    ],
    ['a freeze closes an open window', [daily(OWN, '09:00', 2), freeze(ALL, -1, 0.5)], '2026-01-05T10:30'],
    [
      'what opens inside of a freeze opens the next time',
      [daily(ALL, '22:00', 2), freeze(REGION, 11, 20)],
      '2026-01-06T22:00',
    ],
    [
      'the end of a freeze inside of a window',
      [daily(ALL, '22:00', 2), freeze(REGION, 11, 13)],
      '2026-01-05T23:00',
    ],
    [
      'never, if a freeze takes longer than anybody plans',
      [daily(ALL, '22:00', 2), freeze(ALL, 0, 9_000)],
      'never',
    ],
    [
      'an override opens what is closed',
      [freeze(ALL, -1, 5), daily(ALL, '22:00', 2), override(REGION, 1)],
      'overridden',
    ],
    ['of a rollout as well', [freeze(ALL, -1, 5), override(ROLLOUT, 1)], 'overridden'],
    [
      'not of another one',
      [freeze(ALL, -1, 5), override({ kind: 'rollout', rolloutId: 'rollout/x' }, 1)],
      '2026-01-05T15:00',
    ],
    ['not when it is over', [freeze(ALL, -1, 5), override(ALL, 0)], '2026-01-05T15:00'],
    ['and is not needed where it is open anyway', [daily(ALL, '09:00', 2), override(ALL, 1)], 'open'],
  ])('%s', (_, rules, expected) => {
    expect(said(openingAt(rules, PLACE, NOW))).toBe(expected);
  });

  it('says what is waited for', () => {
    const end = freeze(ALL, -1, 5);
    const opening = openingAt([end, daily(REGION, '22:00', 2), daily(REGION, '23:00', 2)], PLACE, NOW);
    if (opening.open) throw new Error('It is open.');
    expect(closedText(opening)).toBe(
      `the end of ${end.id} of everything (ada: so agreed), and a maintenance window of region eastus ` +
        '(daily 22:00 for 2 h 00 min UTC or daily 23:00 for 2 h 00 min UTC)',
    );
  });
});

it('the scope of a rule is kept as a text, whatever the case of ids', () => {
  for (const scope of [ALL, REGION, ROLLOUT]) expect(parseRuleScope(ruleScope(scope))).toEqual(scope);
  expect(parseRuleScope(ruleScope(OWN))).toEqual({ kind: 'scaleSet', scaleSetId: SET.toLowerCase() });
});

describe('moments and zones as people write them', () => {
  it.each<[string, string | null, string | null]>([
    ['2026-12-20T18:00:00+01:00', null, '2026-12-20T17:00'],
    ['2026-12-20T18:00Z', 'Europe/Berlin', '2026-12-20T18:00'],
    ['2026-12-20T18:00', 'Europe/Berlin', '2026-12-20T17:00'],
    ['2026-07-20 18:00', 'Europe/Berlin', '2026-07-20T16:00'],
    ['2026-12-20', 'Asia/Kolkata', '2026-12-19T18:30'],
    ['2026-12-20T18:00', null, null],
    ['2026-13-20T18:00', 'UTC', null],
    ['soon', 'UTC', null],
  ])('%s in %s', (text, zone, expected) => {
    const moment = parseMoment(text, zone);
    expect(moment === null ? null : isoTime(moment).slice(0, 16)).toBe(expected);
  });

  it('zones are names and no offsets; a wrong one is likely a similar one', () => {
    expect(['Europe/Berlin', 'europe/berlin', 'UTC', 'Asia/Kolkata'].every(isTimeZone)).toBe(true);
    expect(['+02:00', 'Mars/Olympus', '', 'CEST'].some(isTimeZone)).toBe(false);
    expect(similarTimeZones('Berlin')).toEqual(['Europe/Berlin']);
    expect(similarTimeZones('America/New York')).toEqual(['America/New_York']);
    expect(similarTimeZones('Europe/Berlinn')).toContain('Europe/Berlin');
    expect(similarTimeZones('Mars/Xyz')).toEqual([]);
  });
});
