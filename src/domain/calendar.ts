import { DAY, isoTime, type Instant } from './clock.ts';
import { nextStart, openUntil, windowText, type MaintenanceWindow } from './maintenance-window.ts';
import { ALL, parseScope, rolloutScope, scaleSetScope, scopeLabel, type Scope } from './scopes.ts';

/*
 * When automatic upgrades may begin a batch (rule D10, ours). Windows say when they may: a scale set's own go before its region's, and
 * these before everything's; without any it is always. Freezes say when they may not, and add up. An override lets them all the same.
 */

export type RuleDefinition =
  | { kind: 'window'; window: MaintenanceWindow }
  | { kind: 'freeze'; from: Instant; until: Instant }
  /** From when it was recorded. */
  | { kind: 'override'; until: Instant };

export type RuleKind = RuleDefinition['kind'];

/** What a person has laid down, and who, why and when. */
export type CalendarRule = RuleDefinition & {
  /** `window-3` */
  id: string;
  /** See `ruleScope`. */
  scope: string;
  who: string;
  why: string;
  at: Instant;
};

/** What a batch is of. */
export interface Place {
  rolloutId: string;
  region: string;
  scaleSetId: string;
}

/** Why no batch may begin. */
export interface Closed {
  closedBy: CalendarRule[];
  /** The first instant at which one may, by what is known now; null if none comes within a year. */
  until: Instant | null;
}

export type Opening =
  | { open: true; /** Without it, it would be closed. */ override: CalendarRule | null }
  | ({ open: false } & Closed);

/** Where a rule applies: a region whatever rollout works there; a rollout, of an override only. */
export type RuleScope =
  Extract<Scope, { kind: 'all' | 'rollout' | 'scaleSet' }> | { kind: 'region'; region: string };

const REGION = 'region:';

/** The text that stands for a scope. */
export function ruleScope(scope: RuleScope): string {
  switch (scope.kind) {
    case 'all':
      return ALL;
    case 'region':
      return `${REGION}${scope.region.toLowerCase()}`;
    case 'scaleSet':
      return scaleSetScope(scope.scaleSetId);
    case 'rollout':
      return rolloutScope(scope.rolloutId);
  }
}

/** What a rule's text of a scope stands for. Inverse of `ruleScope`. */
export function parseRuleScope(text: string): RuleScope {
  if (text.startsWith(REGION)) return { kind: 'region', region: text.slice(REGION.length) };
  const scope = parseScope(text);
  if (scope?.kind === 'rollout' || scope?.kind === 'scaleSet') return scope;
  return { kind: 'all' };
}

/** How a person reads the scope of a rule: `region eastus`; a rollout's id says itself that it is one. */
export function ruleScopeLabel(text: string): string {
  const scope = parseRuleScope(text);
  if (scope.kind === 'region') return `region ${scope.region}`;
  return scope.kind === 'rollout' ? scope.rolloutId : scopeLabel(text);
}

/** The rules that concern a place. */
export function rulesFor(rules: readonly CalendarRule[], place: Place): CalendarRule[] {
  const scopes = [...windowScopes(place), rolloutScope(place.rolloutId)].map((scope) => scope.toLowerCase());
  return rules.filter((rule) => scopes.includes(rule.scope.toLowerCase()));
}

/** Scopes of windows, the narrowest first. */
function windowScopes({ region, scaleSetId }: Place): string[] {
  return [scaleSetScope(scaleSetId), ruleScope({ kind: 'region', region }), ALL];
}

/** Whether an automatic batch may begin at a place. @param rules that stand; those of other places are passed over */
export function openingAt(rules: readonly CalendarRule[], place: Place, at: Instant): Opening {
  const concerned = rulesFor(rules, place);
  const freezes = concerned.filter((rule) => rule.kind === 'freeze');
  const windows = windowsInForce(concerned, place);
  const frozen = freezes.filter(({ from, until }) => from <= at && at < until);
  const isOutside = windows.length > 0 && !windows.some(({ window }) => openUntil(window, at) !== null);
  const closedBy = [...frozen, ...(isOutside ? windows : [])];
  if (closedBy.length === 0) return { open: true, override: null };
  const override = concerned.find((rule) => rule.kind === 'override' && at < rule.until);
  if (override) return { open: true, override };
  return { open: false, closedBy, until: nextOpening(freezes, windows, at) };
}

type RuleOf<K extends RuleKind> = Extract<CalendarRule, { kind: K }>;

/** Of the narrowest scope that has any. */
function windowsInForce(rules: readonly CalendarRule[], place: Place): RuleOf<'window'>[] {
  const windows = rules.filter((rule) => rule.kind === 'window');
  for (const scope of windowScopes(place)) {
    const own = windows.filter((rule) => rule.scope.toLowerCase() === scope.toLowerCase());
    if (own.length > 0) return own;
  }
  return [];
}

/** Nobody plans further ahead. */
const HORIZON = 366 * DAY;

function nextOpening(
  freezes: readonly RuleOf<'freeze'>[],
  windows: readonly RuleOf<'window'>[],
  at: Instant,
): Instant | null {
  for (let moment = at; moment <= at + HORIZON;) {
    const thaws = freezes.filter(({ from, until }) => from <= moment && moment < until);
    if (thaws.length > 0) moment = Math.max(...thaws.map(({ until }) => until));
    else if (windows.length === 0 || windows.some(({ window }) => openUntil(window, moment) !== null))
      return moment;
    else moment = Math.min(...windows.map(({ window }) => nextStart(window, moment) ?? Infinity));
  }
  return null;
}

/** Windows that are named when one is waited for. */
const MOST_NAMED = 3;

/** What is waited for while it is closed: `the end of freeze-2 of everything (ada: year end)`. */
export function closedText({ closedBy, until }: Closed): string {
  const freezes = closedBy.filter((rule) => rule.kind === 'freeze');
  const windows = closedBy.filter((rule) => rule.kind === 'window');
  const parts = [
    ...freezes.map(
      ({ id, scope, who, why }) => `the end of ${id} of ${ruleScopeLabel(scope)} (${who}: ${why})`,
    ),
    ...(windows.length > 0 ? [windowsText(windows)] : []),
  ];
  return `${parts.join(', and ')}${until === null ? ', not within a year' : ''}`;
}

function windowsText(windows: readonly RuleOf<'window'>[]): string {
  const named = windows.slice(0, MOST_NAMED).map(({ window }) => windowText(window));
  const more = windows.length > MOST_NAMED ? [`${windows.length - MOST_NAMED} more`] : [];
  const place = ruleScopeLabel(windows[0]?.scope ?? ALL);
  return `a maintenance window of ${place} (${[...named, ...more].join(' or ')})`;
}

/** What a rule says: `mon-fri 22:00 to 04:00 Europe/Berlin`, or from when to when, in UTC. */
export function ruleText(rule: RuleDefinition): string {
  switch (rule.kind) {
    case 'window':
      return windowText(rule.window);
    case 'freeze':
      return `${momentText(rule.from)} to ${momentText(rule.until)}`;
    case 'override':
      return `until ${momentText(rule.until)}`;
  }
}

/** `2026-12-20T17:00:00Z` */
function momentText(at: Instant): string {
  return isoTime(at).replace(/\.\d+Z$/, 'Z');
}
