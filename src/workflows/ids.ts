import type { Image, ImageVersion } from '../domain/image.ts';
import { imageKey } from '../domain/image.ts';
import { shortHash } from '../domain/random.ts';
import { scaleSetKey } from '../domain/scale-set.ts';

/**
 * Ids of workflows, with their inverses. Temporal's SQL stores hold 255 characters and ARM ids reach 274, so what may be
 * long is cut and hashed; the full id is in the workflow's memo and search attributes.
 */

const MAX_SLUG = 110;

/** `canonical:0001-com-ubuntu-server-jammy:22_04-lts`; of a gallery image its name and a hash of its ARM id. */
export function imageSlug(image: Image): string {
  const key = imageKey(image);
  if (image.kind === 'platform' && key.length <= MAX_SLUG) return key.replaceAll('/', '_');
  const name = image.kind === 'platform' ? key : (key.split('/').at(-1) as string);
  return `${name.slice(0, 60).replaceAll('/', '_')}-${shortHash(key)}`;
}

/** The id of a rollout of one version over the fleet; `generation` 2 and later are repetitions. */
export function imageRolloutId(target: ImageVersion, generation: number): string {
  return `rollout/${imageSlug(target.image)}/${target.version}/${generation}`;
}

/** A phase of a rollout; `round` 2 and later are retries after a halt. */
export function phaseRolloutId(rolloutId: string, phase: number, round: number): string {
  return `${rolloutId}/phase-${phase}${round > 1 ? `.${round}` : ''}`;
}

export function regionRolloutId(phaseId: string, region: string): string {
  return `${phaseId}/${region}`;
}

/** One per scale set, so that Temporal itself allows one upgrade at a time (rule B12). */
export function scaleSetRolloutId(scaleSetId: string): string {
  const name = scaleSetKey(scaleSetId).split('/').at(-1) as string;
  return `scale-set/${name.slice(0, 64)}-${shortHash(scaleSetKey(scaleSetId))}`;
}

export function batchUpgradeId(scaleSetWorkflowId: string, attemptNumber: number, batch: number): string {
  return `${scaleSetWorkflowId}/${attemptNumber}/batch-${batch}`;
}

/** The ledger's id of the n-th rollout that a person began on one scale set (rule D8); its workflow is the set's. */
export function manualRolloutId(scaleSetId: string, generation: number): string {
  return `${scaleSetRolloutId(scaleSetId)}/manual/${generation}`;
}

export type ParsedId =
  | { level: 'image'; rolloutId: string; slug: string; version: string; generation: number }
  | { level: 'phase'; rolloutId: string; phase: number; round: number }
  | { level: 'region'; rolloutId: string; phase: number; round: number; region: string }
  | { level: 'scaleSet'; scaleSetWorkflowId: string; name: string }
  | { level: 'manual'; rolloutId: string; scaleSetWorkflowId: string; generation: number }
  | { level: 'batch'; scaleSetWorkflowId: string; attemptNumber: number; batch: number };

/** The inverse of the functions above, or null for an id that is none of ours. */
export function parseWorkflowId(id: string): ParsedId | null {
  const rollout = /^(rollout\/([^/]+)\/([^/]+)\/(\d+))(?:\/phase-(\d+)(?:\.(\d+))?(?:\/([^/]+))?)?$/.exec(id);
  if (rollout) return rolloutLevel(rollout);
  const set = /^(scale-set\/([^/]+)-[0-9a-f]{12})(?:\/manual\/(\d+)|\/(\d+)\/batch-(\d+))?$/.exec(id);
  if (!set) return null;
  const [, scaleSetWorkflowId = '', name = '', manual, attempt, batch] = set;
  if (manual) return { level: 'manual', rolloutId: id, scaleSetWorkflowId, generation: Number(manual) };
  if (batch)
    return { level: 'batch', scaleSetWorkflowId, attemptNumber: Number(attempt), batch: Number(batch) };
  return { level: 'scaleSet', scaleSetWorkflowId, name };
}

function rolloutLevel(match: RegExpExecArray): ParsedId {
  const [, rolloutId = '', slug = '', version = '', generation = '', phase, round = '1', region] = match;
  if (phase === undefined)
    return { level: 'image', rolloutId, slug, version, generation: Number(generation) };
  const at = { rolloutId, phase: Number(phase), round: Number(round) };
  return region === undefined ? { level: 'phase', ...at } : { level: 'region', ...at, region };
}

/** The top workflow of a rollout: the set's own, if it is a manual one. */
export function workflowIdOf(rollout: { id: string }): string {
  const parsed = parseWorkflowId(rollout.id);
  return parsed?.level === 'manual' ? parsed.scaleSetWorkflowId : rollout.id;
}
