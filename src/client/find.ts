import { scaleSetKey, type ScaleSet } from '../domain/scale-set.ts';
import type { Rollout } from '../ledger/port.ts';
import { parseWorkflowId, scaleSetRolloutId } from '../workflows/ids.ts';
import type { ClientContext } from './context.ts';
import { UsageError } from './errors.ts';

/** A rollout, and the part of it that the id was of. */
export interface Place {
  rollout: Rollout;
  phase?: number;
  region?: string;
  /** ARM id. */
  scaleSetId?: string;
}

const MOST_NAMED = 5;

/**
 * The rollout that a person means: the newest without an id; by its own id, by any workflow's id of it, or by the
 * beginning of its id, if only one begins so, or only one of those has not ended.
 * @throws UsageError when there is none, or several
 */
export async function findRollout(context: ClientContext, id?: string): Promise<Place> {
  const { ledger } = context;
  if (id === undefined) {
    const [newest] = await ledger.rollouts.list({ limit: 1 });
    if (newest !== undefined) return { rollout: newest };
    throw new UsageError(
      'There is no rollout yet. Start one by `rollouts start <image>`, or look first by `rollouts plan <image>`.',
    );
  }
  const wanted = id.trim();
  const rollout = await ledger.rollouts.get(wanted);
  if (rollout !== null) return { rollout };
  return (await byWorkflow(context, wanted)) ?? { rollout: await byPrefix(context, wanted) };
}

async function byWorkflow(context: ClientContext, id: string): Promise<Place | null> {
  const { ledger } = context;
  const parsed = parseWorkflowId(id);
  if (parsed === null) return null;
  if (parsed.level === 'scaleSet' || parsed.level === 'batch') {
    const scaleSet = await byScaleSetWorkflow(context, parsed.scaleSetWorkflowId);
    const [attempt] =
      scaleSet === undefined ? [] : await ledger.attempts.listOf({ scaleSetId: scaleSet.id, limit: 1 });
    const rollout = attempt === undefined ? null : await ledger.rollouts.get(attempt.rolloutId);
    return rollout === null || scaleSet === undefined ? null : { rollout, scaleSetId: scaleSet.id };
  }
  const rollout = await ledger.rollouts.get(parsed.rolloutId);
  if (rollout === null) return null;
  return {
    rollout,
    ...('phase' in parsed ? { phase: parsed.phase } : {}),
    ...('region' in parsed ? { region: parsed.region } : {}),
  };
}

async function byScaleSetWorkflow(
  { fleet }: ClientContext,
  workflowId: string,
): Promise<ScaleSet | undefined> {
  return (await fleet.scaleSets()).find((set) => scaleSetRolloutId(set.id) === workflowId);
}

async function byPrefix({ ledger }: ClientContext, prefix: string): Promise<Rollout> {
  const all = await ledger.rollouts.list();
  const key = prefix.toLowerCase();
  const found = all.filter(({ id }) => {
    const candidate = id.toLowerCase();
    return candidate.startsWith(key) || candidate.startsWith(`rollout/${key}`);
  });
  // Of several, the one that has not ended is meant.
  const running = found.filter((rollout) => rollout.endedAt === null);
  const [only] = found.length === 1 ? found : running.length === 1 ? running : [];
  if (only !== undefined) return only;
  const named = (rollouts: readonly Rollout[]) => {
    const lines = rollouts.slice(0, MOST_NAMED).map((rollout) => `\n  ${rollout.id}`);
    return (
      lines.join('') + (rollouts.length > MOST_NAMED ? `\n  and ${rollouts.length - MOST_NAMED} more` : '')
    );
  };
  if (found.length > 1) {
    throw new UsageError(
      `"${prefix}" begins the ids of ${found.length} rollouts. Give more of one:${named(found)}`,
    );
  }
  const there = all.length === 0 ? 'There is none yet.' : `There are, newest first:${named(all)}`;
  throw new UsageError(`No rollout "${prefix}" is recorded. ${there}`);
}

/**
 * The scale set that a person means: by its ARM id, its workflow's id, or its name, if only one has it.
 * @throws UsageError that names candidates
 */
export async function findScaleSet(context: ClientContext, text: string): Promise<ScaleSet> {
  const { fleet } = context;
  const wanted = text.trim();
  if (wanted.startsWith('/')) {
    const scaleSet = await fleet.scaleSet(wanted);
    if (scaleSet !== null) return scaleSet;
    throw new UsageError(`No scale set has the id ${wanted}. \`rollouts fleet show\` lists them.`);
  }
  const all = await fleet.scaleSets();
  const key = scaleSetKey(wanted);
  const found = all.filter((set) => set.name.toLowerCase() === key || scaleSetRolloutId(set.id) === key);
  if (found.length === 1) return found[0] as ScaleSet;
  if (found.length > 1) {
    const ids = found.slice(0, MOST_NAMED).map((set) => `\n  ${set.id}`);
    throw new UsageError(
      `${found.length} scale sets are named "${wanted}". Give one's full id:${ids.join('')}`,
    );
  }
  const near = all.filter((set) => set.name.toLowerCase().includes(key)).slice(0, MOST_NAMED);
  const hint =
    near.length > 0
      ? `Similar: ${near.map((set) => set.name).join(', ')}.`
      : '`rollouts fleet show` lists them.';
  throw new UsageError(`No scale set is named "${wanted}". ${hint}`);
}

/**
 * The scale set that a person means, or one of its instances: `web`, `web/3`, or the ARM id of either. Whether there is such
 * an instance is not looked at here.
 * @throws UsageError that names candidates
 */
export async function findInstance(
  context: ClientContext,
  text: string,
): Promise<{ scaleSet: ScaleSet; instanceId: string | null }> {
  const wanted = text.trim();
  const arm = /^(.+\/virtualMachineScaleSets\/[^/]+)(?:\/(?:virtualMachines\/)?([^/]+))?$/i.exec(wanted);
  // A workflow's id has a slash of its own.
  const short = parseWorkflowId(wanted) === null ? /^([^/]+)\/([^/]+)$/.exec(wanted) : null;
  const [, set = wanted, instanceId = null] = arm ?? short ?? [];
  return { scaleSet: await findScaleSet(context, set), instanceId };
}
