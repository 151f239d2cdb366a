import { parseRuleScope, ruleScope, ruleScopeLabel, type RuleScope } from '../../domain/calendar.ts';
import { isoTime, type Instant } from '../../domain/clock.ts';
import { normaliseRegionName } from '../../domain/region.ts';
import { ALL } from '../../domain/scopes.ts';
import type { CalendarRule, RuleDefinition, RuleKind } from '../../ledger/port.ts';
import { currentInstant, currentUser, type ClientContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { viewRule, type RuleView } from './list.ts';
import { wakeConcerned } from './wake.ts';

export interface AddRuleRequest {
  scope: RuleScope;
  rule: RuleDefinition;
  why: string;
  /** The user at the terminal if absent. */
  who?: string | undefined;
}

export interface ChangedRule {
  rule: RuleView;
  /** The workflows that were told to look at once. */
  woken: string[];
  /** What a person should know of it. */
  notes: string[];
}

/**
 * Lays down when automatic upgrades may begin batches, or may not, or may all the same (rule D10), for good or until it is taken back.
 * It stands as soon as it is recorded: no batch begins against it, also if no workflow could be woken.
 * @throws UsageError for a region that the fleet does not have, a rule that is over already, a rollout that has ended
 */
export async function addRule(context: ClientContext, request: AddRuleRequest): Promise<ChangedRule> {
  const { who = currentUser(), rule } = request;
  const why = reasonOf(request.why);
  const at = await currentInstant(context);
  const scope = await checked(context, request.scope);
  checkTimes(rule, at);
  const text = ruleScope(scope);
  const before = (await context.ledger.calendar.read()).rules;
  const added = await context.ledger.calendar.add({ ...rule, scope: text, who, why, at });
  const changed: ChangedRule = { rule: viewRule({ rule: added, removed: null }, at), woken: [], notes: [] };
  const isFirstWindow = rule.kind === 'window' && windowsOf(before, text).length === 0;
  if (isFirstWindow && text !== ALL && before.some(({ kind }) => kind === 'window')) {
    changed.notes.push(`From now on the windows of ${ruleScopeLabel(text)} go before wider ones.`);
  }
  return wakeConcerned(context, scope, changed);
}

/**
 * Takes a rule back. That is recorded, and what it was stays on record.
 * @throws UsageError when there is no such rule, or it does not stand any more
 */
export async function removeRule(
  context: ClientContext,
  {
    kind,
    id,
    who = currentUser(),
    why,
  }: { kind: RuleKind; id: string; who?: string | undefined; why: string },
): Promise<ChangedRule> {
  const { ledger } = context;
  const wanted = /^\d+$/.test(id.trim()) ? `${kind}-${id.trim()}` : id.trim().toLowerCase();
  const recorded = await ledger.calendar.list();
  const found = recorded.find(({ rule }) => rule.id === wanted && rule.kind === kind);
  if (found === undefined || found.removed !== null) {
    const standing = recorded.filter(({ rule, removed }) => rule.kind === kind && removed === null);
    const ids = standing.map(({ rule }) => rule.id).join(', ') || 'none';
    const gone = found?.removed ? ` ${found.removed.who} took it back at ${isoTime(found.removed.at)}.` : '';
    throw new UsageError(`There is no ${kind} "${id}" that stands.${gone} There are: ${ids}.`);
  }
  const at = await currentInstant(context);
  const removed = { who, why: reasonOf(why), at };
  const rule = (await ledger.calendar.remove(wanted, removed)) ?? found.rule;
  const changed: ChangedRule = { rule: viewRule({ rule, removed }, at), woken: [], notes: [] };
  const left = windowsOf((await ledger.calendar.read()).rules, rule.scope);
  if (kind === 'window' && left.length === 0) {
    changed.notes.push(
      `It was the last window of ${ruleScopeLabel(rule.scope)}: those of wider scopes count, or none.`,
    );
  }
  return wakeConcerned(context, parseRuleScope(rule.scope), changed);
}

function windowsOf(rules: readonly CalendarRule[], scope: string): CalendarRule[] {
  return rules.filter((rule) => rule.kind === 'window' && rule.scope.toLowerCase() === scope.toLowerCase());
}

function reasonOf(why: string): string {
  if (why.trim() === '')
    throw new UsageError('Say why: the reason is recorded for good, and others will read it.');
  return why.trim();
}

/** The scope, if it is of what there is. */
async function checked({ fleet, ledger }: ClientContext, scope: RuleScope): Promise<RuleScope> {
  if (scope.kind === 'region') {
    const regions = (await fleet.regions()).map(({ name }) => normaliseRegionName(name));
    const region = normaliseRegionName(scope.region);
    if (regions.includes(region)) return { kind: 'region', region };
    throw new UsageError(
      `"${scope.region}" is no region of this fleet. It has ${regions.join(', ') || 'none'}.`,
    );
  }
  if (scope.kind === 'rollout') {
    const rollout = await ledger.rollouts.get(scope.rolloutId);
    if (rollout?.endedAt !== null)
      throw new UsageError(`${scope.rolloutId} does not run: there is nothing to override.`);
  }
  return scope;
}

function checkTimes(rule: RuleDefinition, now: Instant): void {
  if (rule.kind === 'window') return;
  if (rule.kind === 'freeze' && rule.until <= rule.from) {
    throw new UsageError(
      `The freeze would end at ${isoTime(rule.until)}, before it begins (${isoTime(rule.from)}).`,
    );
  }
  if (rule.until <= now) {
    throw new UsageError(
      `It would be over already: it ends at ${isoTime(rule.until)}, and now is ${isoTime(now)}.`,
    );
  }
}
