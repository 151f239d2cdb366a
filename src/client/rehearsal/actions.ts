import type { Scope } from '../../domain/scopes.ts';
import type { SimulatedFleet } from '../../fleet/index.ts';
import type { DesiredState } from '../../ledger/port.ts';
import type { Rehearsal } from '../../rehearsal/rehearsal.ts';
import { parseWorkflowId, scaleSetRolloutId } from '../../workflows/ids.ts';
import type { ClientContext } from '../context.ts';
import { decide } from '../decide.ts';
import { UsageError } from '../errors.ts';
import { findScaleSet } from '../find.ts';
import { changeInstances, renewResources, requireInstances } from '../fleet-changes.ts';
import { publish, type FleetSetupContext } from '../fleet-setup.ts';
import { setModel } from '../model/set-model.ts';
import { giveOrder } from '../orders.ts';
import { repair } from '../repair.ts';
import { prepareRevert } from '../revert/revert.ts';
import { startScaleSet } from '../start-scale-set.ts';
import { updateInstances } from '../update-instances.ts';
import { faultsFrom, type ScenarioAction } from './scenario.ts';

export interface RehearsalContext extends ClientContext, FleetSetupContext {
  fleet: SimulatedFleet;
  rehearsal: Rehearsal<SimulatedFleet>;
  /** The rollout that is rehearsed; null when it could not be started. */
  rolloutId: string | null;
}

type ActionOf<K extends ScenarioAction['do']> = Extract<ScenarioAction, { do: K }>;

/**
 * Does what a scenario has people do, by the functions of the client library.
 * @returns what was done, in a line
 * @throws ClientError when it is refused, as it would be in life
 */
export async function carryOut(context: RehearsalContext, action: ScenarioAction): Promise<string> {
  switch (action.do) {
    case 'pause':
      return order(context, action, 'paused');
    case 'resume':
      return order(context, action, 'running');
    case 'cancel':
      return order(context, action, 'cancelled');
    case 'decide': {
      const { decision, who, why } = action;
      await decide(context, { rolloutId: rolloutOf(context), decision, who, why });
      return `${who} decides: ${decision} (${why})`;
    }
    case 'start': {
      await startScaleSet(context, action);
      return `${action.who} starts the upgrade of ${action.scaleSet} by hand`;
    }
    case 'updateInstances': {
      const { instanceIds } = await updateInstances(context, { ...action, instanceIds: action.instances });
      return `${action.who} brings ${named(action.scaleSet, instanceIds)} to the model`;
    }
    case 'revert':
      return revert(context, action);
    case 'repair':
      return mend(context, action);
    default:
      return change(context, action);
  }
}

async function order(
  context: RehearsalContext,
  { region, phase, scaleSet, all, who, why }: ActionOf<'pause' | 'resume' | 'cancel'>,
  state: DesiredState,
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
  return `${who} ${verb} ${all ? 'everything' : (scaleSet ?? region ?? part)}: ${why}`;
}

async function revert(
  context: RehearsalContext,
  { scaleSet, version, who, why }: ActionOf<'revert'>,
): Promise<string> {
  const { start } = await prepareRevert(context, { id: scaleSet ?? rolloutOf(context), version, who, why });
  await start();
  return `${who} has ${scaleSet ?? 'the rollout'} reverted: ${why}`;
}

async function mend(
  context: RehearsalContext,
  { scaleSet, instance, reimage, who, why }: ActionOf<'repair'>,
): Promise<string> {
  const id = instance === undefined ? scaleSet : `${scaleSet}/${instance}`;
  const { findings } = await repair(context, { id, reimage, who, why });
  const what = findings.map((finding) => `${finding.what}: ${finding.done}`).join('; ');
  return `${who} repairs ${id}: ${what || 'nothing is wrong'}`;
}

/** What changes the fleet, and workflows that are ended by hand. */
async function change(
  context: RehearsalContext,
  action: ActionOf<'publish' | 'model' | 'change' | 'delete' | 'renew' | 'faults' | 'terminate'>,
): Promise<string> {
  const { fleet, rehearsal } = context;
  switch (action.do) {
    case 'publish':
      await publish(context, { image: action.image, version: action.version, regions: action.regions });
      return `version ${action.version} of ${action.image} is published`;
    case 'model':
      await setModel(context, action);
      return `${action.who} changes the model of ${action.scaleSet}: ${JSON.stringify(action.patch)}`;
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
      return `the credentials of ${renewed.map((resource) => resource.url).join(', ')} are renewed`;
    }
    case 'faults':
      await fleet.setFaults(faultsFrom(rehearsal.now, action.faults, 'The faults of an action'));
      return action.faults.length === 0 ? 'nothing goes wrong any more' : 'other things go wrong from now on';
    case 'terminate':
      return terminate(context, action);
  }
}

async function remove(
  context: RehearsalContext,
  { scaleSet, instances }: ActionOf<'delete'>,
): Promise<string> {
  const found = await findScaleSet(context, scaleSet);
  if (instances === undefined) {
    await context.fleet.deleteScaleSet(found.id);
    return `${scaleSet} is deleted`;
  }
  requireInstances(found, await context.fleet.instances(found.id, context.rehearsal.now), instances);
  await context.fleet.deleteInstances(found.id, instances);
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
  const what = level === 'everything' ? '' : ` of level ${level}`;
  return `${ended} workflow${ended === 1 ? '' : 's'}${what} terminated by hand`;
}

function rolloutOf({ rolloutId }: RehearsalContext): string {
  if (rolloutId !== null) return rolloutId;
  throw new UsageError('There is no rollout.');
}

/** `web/3`, `web/3, 4` */
function named(scaleSet: string, instanceIds: readonly string[]): string {
  return `${scaleSet}/${instanceIds.join(', ')}`;
}
