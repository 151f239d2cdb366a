import { parseScope } from '../domain/scopes.ts';

/** Commands that a person is told to give, word for word, but for the reason. */

/** Takes back an order of a scope, as the ledger spells it. */
export function resumeCommand(scope: string): string {
  return `rollouts resume ${placeOf(scope)} --why TEXT`;
}

function placeOf(scope: string): string {
  const parsed = parseScope(scope);
  switch (parsed?.kind) {
    case 'rollout':
      return parsed.rolloutId;
    case 'phase':
      return `${parsed.rolloutId} --phase ${parsed.phase}`;
    case 'region':
      return `${parsed.rolloutId} --region ${parsed.region}`;
    case 'scaleSet':
      return `--scale-set ${parsed.scaleSetId.split('/').at(-1)}`;
    default:
      return '--all';
  }
}

/** Decides on a rollout that is halted (rule D2). */
export function decideCommand(rolloutId: string): string {
  return `rollouts decide ${rolloutId} proceed|retry|abort --why TEXT`;
}

/** Lets reverted versions come again. @param of a scale set, or a rollout */
export function liftCommand(of: string): string {
  return `rollouts revert --lift ${of} --why TEXT`;
}
