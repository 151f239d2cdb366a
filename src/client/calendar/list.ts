import { ruleScopeLabel, ruleText } from '../../domain/calendar.ts';
import type { Instant } from '../../domain/clock.ts';
import { nextStart, openUntil, type MaintenanceWindow } from '../../domain/maintenance-window.ts';
import type { CalendarRule, RecordedRule, RuleKind } from '../../ledger/port.ts';
import { currentInstant, type ClientContext } from '../context.ts';

/** `ahead`: it begins later. `over` and `removed` ones do not count any more. */
export type RuleState = 'open' | 'closed' | 'ahead' | 'inForce' | 'over' | 'removed';

/** A rule, and how it stands now. */
export interface RuleView {
  id: string;
  kind: RuleKind;
  /** As the ledger spells it, and for people. */
  scope: string;
  where: string;
  /** `mon-fri 22:00 to 04:00 Europe/Berlin` */
  says: string;
  state: RuleState;
  /** When that changes; null if it does not. */
  changesAt: Instant | null;
  /** Of a window. */
  window: MaintenanceWindow | null;
  /** Of a freeze and of an override, from when and until when. */
  since: Instant | null;
  until: Instant | null;
  who: string;
  why: string;
  at: Instant;
  removed: RecordedRule['removed'];
}

export interface RuleList {
  now: Instant;
  rules: RuleView[];
}

/** The rules of a kind that count or will, the oldest first. @param all also what is over and what was taken back */
export async function listRules(
  context: Pick<ClientContext, 'fleet' | 'ledger'>,
  { kind, all = false }: { kind: RuleKind; all?: boolean | undefined },
): Promise<RuleList> {
  const now = await currentInstant(context);
  const views = (await context.ledger.calendar.list())
    .filter(({ rule }) => rule.kind === kind)
    .map((recorded) => viewRule(recorded, now));
  const counts = ({ state }: RuleView) => state !== 'over' && state !== 'removed';
  return { now, rules: all ? views : views.filter(counts) };
}

/** A rule that was just changed, or one of a list. */
export function viewRule({ rule, removed }: RecordedRule, now: Instant): RuleView {
  const { id, kind, scope, who, why, at } = rule;
  const isWindow = rule.kind === 'window';
  return {
    id,
    kind,
    scope,
    where: ruleScopeLabel(scope),
    says: ruleText(rule),
    ...(removed === null ? stateOf(rule, now) : { state: 'removed' as const, changesAt: null }),
    window: isWindow ? rule.window : null,
    since: isWindow ? null : rule.kind === 'freeze' ? rule.from : at,
    until: isWindow ? null : rule.until,
    who,
    why,
    at,
    removed,
  };
}

function stateOf(rule: CalendarRule, now: Instant): Pick<RuleView, 'state' | 'changesAt'> {
  if (rule.kind === 'window') {
    const until = openUntil(rule.window, now);
    return until === null
      ? { state: 'closed', changesAt: nextStart(rule.window, now) }
      : { state: 'open', changesAt: until };
  }
  if (rule.until <= now) return { state: 'over', changesAt: null };
  if (rule.kind === 'freeze' && rule.from > now) return { state: 'ahead', changesAt: rule.from };
  return { state: 'inForce', changesAt: rule.until };
}
