import { imageLabel, type ImageVersion } from '../domain/image.ts';
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

/** Decides on a rollout that is halted (rule D2). @param about of a phase that was judged, or one that is to be approved */
export function decideCommand(rolloutId: string, about: 'decision' | 'approval'): string {
  const choices = about === 'approval' ? 'proceed|abort' : 'proceed|retry|abort';
  return `rollouts decide ${rolloutId} ${choices} --why TEXT`;
}

/** Lets reverted versions come again. @param of a scale set, or a rollout */
export function liftCommand(of: string): string {
  return `rollouts revert --lift ${of} --why TEXT`;
}

/** Upgrades one set at once (rule D8). @param target what to bring, where that is not what it would choose itself */
export function startSetCommand(set: string, target?: ImageVersion): string {
  return `rollouts start ${target === undefined ? '' : `${imageArguments(target)} `}--scale-set ${set}`;
}

/** Starts a rollout over the fleet. */
export function startCommand(target: ImageVersion): string {
  return `rollouts start ${imageArguments(target)}`;
}

/** An image and a version as commands take them. */
function imageArguments({ image, version }: ImageVersion): string {
  return `${image.kind === 'gallery' ? image.id : imageLabel(image)} ${version}`;
}

/** @param change `<path>=<value>` */
export function modelCommand(set: string, change: string): string {
  return `rollouts model set ${set} ${/[[\]"' ]/.test(change) ? `'${change}'` : change}`;
}

/** Ends a rollout at the end of the batches under way. */
export function cancelCommand(rolloutId: string): string {
  return `rollouts cancel ${rolloutId} --why TEXT`;
}

/** @param of a scale set, or `<scale set>/<instance id>` */
export function repairCommand(of: string): string {
  return `rollouts repair ${of} --why TEXT`;
}

/** Lets what is in a scope begin batches in spite of windows and freezes. @param scope as the ledger spells it */
export function overrideCommand(scope: string): string {
  return `rollouts overrides add ${placeOf(scope)} --for 2h --why TEXT`;
}
