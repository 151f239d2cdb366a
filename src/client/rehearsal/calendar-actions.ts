import type { RuleScope } from '../../domain/calendar.ts';
import type { RuleDefinition } from '../../ledger/port.ts';
import { readWindow } from '../calendar/input.ts';
import { addRule } from '../calendar/rules.ts';
import { findScaleSet } from '../find.ts';
import { rolloutOf, type RehearsalContext } from './context.ts';
import type { ScenarioAction } from './scenario.ts';

type CalendarAction = Extract<ScenarioAction, { do: 'window' | 'freeze' | 'override' }>;

/** Says when automatic upgrades may begin batches (rule D10). @returns what was done, for the story */
export async function layDown(context: RehearsalContext, action: CalendarAction): Promise<string> {
  const { who, why } = action;
  const scope = await scopeOf(context, action);
  const { rule } = await addRule(context, { scope, rule: definitionOf(context, action), who, why });
  return `adds ${rule.id} for ${rule.where}: ${rule.says}`;
}

function definitionOf({ rehearsal }: RehearsalContext, action: CalendarAction): RuleDefinition {
  if (action.do === 'window') {
    return { kind: 'window', window: readWindow({ ...action, duration: action.lasts }) };
  }
  const { now: from } = rehearsal;
  const until = from + action.lasts;
  return action.do === 'freeze' ? { kind: 'freeze', from, until } : { kind: 'override', until };
}

async function scopeOf(
  context: RehearsalContext,
  { do: what, region, scaleSet, all }: CalendarAction,
): Promise<RuleScope> {
  if (region !== undefined) return { kind: 'region', region };
  if (scaleSet !== undefined) {
    return { kind: 'scaleSet', scaleSetId: (await findScaleSet(context, scaleSet)).id };
  }
  if (what === 'override' && !all) return { kind: 'rollout', rolloutId: rolloutOf(context) };
  return { kind: 'all' };
}
