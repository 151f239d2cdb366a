import type { Scope } from '../../domain/scopes.ts';
import { isJsonObject, type Json } from '../../fleet/index.ts';
import type { OrderedState } from '../../ledger/port.ts';
import { parseWorkflowId, scaleSetRolloutId } from '../../workflows/ids.ts';
import { decide } from '../decide.ts';
import { findScaleSet } from '../find.ts';
import { renewResources, type RenewedResource } from '../external-resources.ts';
import { changeInstances, requireInstances } from '../fleet-changes.ts';
import { publish } from '../fleet-setup.ts';
import { setModel } from '../model/set-model.ts';
import { giveOrder } from '../orders.ts';
import { repair } from '../repair.ts';
import { prepareRevert } from '../revert/revert.ts';
import { startScaleSet } from '../start-scale-set.ts';
import { updateInstances } from '../update-instances.ts';
import { layDown } from './calendar-actions.ts';
import { begin, rolloutOf, type RehearsalContext } from './context.ts';
import { faultsFrom, type ScenarioAction } from './scenario.ts';

type ActionOf<K extends ScenarioAction['do']> = Extract<ScenarioAction, { do: K }>;

/** What was done, for the story: `ada`, `pauses the rollout: incident 4711`. */
export interface Deed {
  where: string;
  what: string;
}

/**
 * Does what a scenario has people do, by the functions of the client library.
 * @throws ClientError when it is refused, as it would be in life
 */
export async function carryOut(context: RehearsalContext, action: ScenarioAction): Promise<Deed> {
  switch (action.do) {
    case 'pause':
      return by(action, await order(context, action, 'paused'));
    case 'resume':
      return by(action, await order(context, action, 'running'));
    case 'cancel':
      return by(action, await order(context, action, 'cancelled'));
    case 'window':
    case 'freeze':
    case 'override':
      return by(action, await layDown(context, action));
    case 'decide': {
      const { decision, who, why } = action;
      await decide(context, { rolloutId: rolloutOf(context), decision, who, why });
      return by(action, `decides: ${decision}`);
    }
    case 'start':
      return by(action, await start(context, action));
    case 'updateInstances': {
      const { settings } = context.scenario;
      const { instanceIds } = await updateInstances(context, {
        ...{ ...action, settings, instanceIds: action.instances },
      });
      return by(action, `brings ${named(action.scaleSet, instanceIds)} to the model`);
    }
    case 'revert':
      return by(action, await revert(context, action));
    case 'repair':
      return by(action, await mend(context, action));
    case 'model':
      await setModel(context, action);
      return by(action, `changes the model of ${action.scaleSet}: ${changes(action.patch).join(', ')}`);
    case 'terminate':
      return { where: 'Web UI', what: await terminate(context, action) };
    default:
      return { where: 'fleet', what: await change(context, action) };
  }
}

/** What a patch changes: `sku.capacity = 14`; of texts and lists, which may be long or secret, only where they stand. */
function changes(patch: Json, path = ''): string[] {
  return Object.entries(patch).flatMap(([key, value]) => {
    if (isJsonObject(value)) return changes(value, `${path}${key}.`);
    const isPlain = typeof value === 'number' || typeof value === 'boolean';
    return [`${path}${key}${isPlain ? ` = ${value}` : ''}`];
  });
}

function by({ who, why }: { who: string; why: string }, what: string): Deed {
  return { where: who, what: `${what} (${why})` };
}

async function start(
  context: RehearsalContext,
  { scaleSet, version, who, why }: ActionOf<'start'>,
): Promise<string> {
  if (scaleSet === undefined) return begin(context, { version, who, why });
  const { settings } = context.scenario;
  const { rollout } = await startScaleSet(context, { scaleSet, version, settings, who, why });
  return `starts the upgrade of ${scaleSet} to ${rollout.target.version} by hand`;
}

async function order(
  context: RehearsalContext,
  { region, phase, scaleSet, all, who, why }: ActionOf<'pause' | 'resume' | 'cancel'>,
  state: OrderedState,
): Promise<string> {
  let scope: Scope;
  if (all) scope = { kind: 'all' };
  else if (scaleSet !== undefined)
    scope = { kind: 'scaleSet', scaleSetId: (await findScaleSet(context, scaleSet)).id };
  else {
    const rolloutId = rolloutOf(context);
    if (region !== undefined) scope = { kind: 'region', rolloutId, region };
    else scope = phase === undefined ? { kind: 'rollout', rolloutId } : { kind: 'phase', rolloutId, phase };
  }
  await giveOrder(context, { scope, state, who, why });
  const verb = { paused: 'pauses', running: 'resumes', cancelled: 'cancels' }[state];
  const part = phase === undefined ? 'the rollout' : `phase ${phase}`;
  return `${verb} ${all ? 'everything' : (scaleSet ?? region ?? part)}`;
}

async function revert(
  context: RehearsalContext,
  { scaleSet, version, who, why }: ActionOf<'revert'>,
): Promise<string> {
  const { settings } = context.scenario;
  const id = scaleSet ?? rolloutOf(context);
  const revert = await prepareRevert(context, { id, version, settings, who, why });
  await revert.start();
  return `takes ${revert.plan.version} back from ${scaleSet ?? 'the whole fleet'}`;
}

async function mend(
  context: RehearsalContext,
  { scaleSet, instance, reimage, who, why }: ActionOf<'repair'>,
): Promise<string> {
  const id = instance === undefined ? scaleSet : `${scaleSet}/${instance}`;
  const { findings } = await repair(context, { id, reimage, who, why });
  const what = findings.map((finding) => `${finding.what.replace(/\.$/, '')}: ${finding.done}`).join('; ');
  return `repairs ${id}: ${what || 'nothing is wrong'}`;
}

/** What changes the fleet. */
async function change(
  context: RehearsalContext,
  action: ActionOf<'publish' | 'change' | 'delete' | 'renew' | 'faults'>,
): Promise<string> {
  const { fleet, rehearsal } = context;
  switch (action.do) {
    case 'publish':
      await publish(context, { image: action.image, version: action.version, regions: action.regions });
      return `version ${action.version} of ${action.image} is published`;
    case 'change': {
      const { scaleSet, instances, protect, power } = action;
      await changeInstances(context, scaleSet, instances, {
        ...(protect === undefined ? {} : { protectFromScaleSetActions: protect }),
        ...(power === undefined ? {} : { power }),
      });
      const now = [
        ...(protect === undefined ? [] : [protect ? 'protected' : 'not protected']),
        power ?? [],
      ].flat();
      return `${named(scaleSet, instances)} ${instances.length === 1 ? 'is' : 'are'} ${now.join(' and ')} now`;
    }
    case 'delete':
      return remove(context, action);
    case 'renew': {
      const { url } = action;
      const renewed = await renewResources(context, url === undefined ? { allExpired: true } : { url });
      const news = ({ url: of, was }: RenewedResource) =>
        was === 'gone' ? `${of} is there again` : `the credential of ${of} is renewed`;
      return renewed.map(news).join('; ') || 'no credential had expired';
    }
    case 'faults':
      await fleet.setFaults(faultsFrom(rehearsal.now, action.faults, 'The faults of an action'));
      return action.faults.length === 0
        ? 'nothing goes wrong any more'
        : 'other things go wrong from now on:';
  }
}

async function remove(
  context: RehearsalContext,
  { scaleSet, instances }: ActionOf<'delete'>,
): Promise<string> {
  const { fleet, rehearsal } = context;
  const found = await findScaleSet(context, scaleSet);
  if (instances === undefined) {
    await fleet.deleteScaleSet(found.id, rehearsal.now);
    return `${scaleSet} is deleted`;
  }
  requireInstances(found, await fleet.instances(found.id, rehearsal.now), instances);
  await fleet.deleteInstances(found.id, instances, rehearsal.now);
  return `${named(scaleSet, instances)} ${instances.length === 1 ? 'is' : 'are'} deleted`;
}

async function terminate(
  context: RehearsalContext,
  { level, scaleSet }: ActionOf<'terminate'>,
): Promise<string> {
  const only = scaleSet === undefined ? '' : scaleSetRolloutId((await findScaleSet(context, scaleSet)).id);
  const ended = context.rehearsal.terminate(
    (id) => id.startsWith(only) && (level === 'everything' || parseWorkflowId(id)?.level === level),
  );
  return `${ended} ${ended === 1 ? 'workflow is' : 'workflows are'} terminated by hand (${LEVELS[level]})`;
}

const LEVELS: Record<ActionOf<'terminate'>['level'], string> = {
  image: 'the rollout',
  phase: 'phase',
  region: 'region',
  scaleSet: 'scale set',
  batch: 'batch',
  everything: 'everything',
};

/** `web/3`, `web/3, 4` */
function named(scaleSet: string, instanceIds: readonly string[]): string {
  return `${scaleSet}/${instanceIds.join(', ')}`;
}
