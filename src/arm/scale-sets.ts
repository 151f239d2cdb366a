import type { FastifyInstance } from 'fastify';
import { virtualAt } from '../domain/clock.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import type { Fleet } from '../fleet/port.ts';
import type { Attempts } from '../ledger/port.ts';
import { ArmError } from './errors.ts';
import {
  attemptsOfHistory,
  HISTORY_LENGTH,
  historyItem,
  KINDS_IN_HISTORY,
  KINDS_OF_ROLLING_UPGRADES,
  latestUpgrade,
} from './history.ts';

interface Address {
  subscription: string;
  resourceGroup: string;
  name: string;
}

const TYPE = 'Microsoft.Compute/virtualMachineScaleSets';
const PATH = `/subscriptions/:subscription/resourceGroups/:resourceGroup/providers/${TYPE}/:name`;

export interface ScaleSetParts {
  readonly fleet: Pick<Fleet, 'clock' | 'scaleSet'>;
  readonly attempts: Pick<Attempts, 'listOf' | 'instances'>;
}

/** What can be asked of a scale set's upgrades: its OS upgrade history (rule E1) and its latest upgrade (rule E2). */
export function serveScaleSets(server: FastifyInstance, { fleet, attempts }: ScaleSetParts): void {
  server.get<{ Params: Address }>(`${PATH}/osUpgradeHistory`, async ({ params }) => {
    const { id, region } = await findScaleSet(fleet, params);
    const now = virtualAt(await fleet.clock(), Date.now());
    const newest = await attempts.listOf({ scaleSetId: id, kinds: KINDS_IN_HISTORY, limit: HISTORY_LENGTH });
    const shown = attemptsOfHistory(newest, now);
    return {
      value: await Promise.all(
        shown.map(async (attempt) => historyItem(attempt, await attempts.instances(attempt.id), region)),
      ),
    };
  });

  server.get<{ Params: Address }>(`${PATH}/rollingUpgrades/latest`, async ({ params }) => {
    const { id, region } = await findScaleSet(fleet, params);
    const [latest] = await attempts.listOf({
      scaleSetId: id,
      kinds: KINDS_OF_ROLLING_UPGRADES,
      limit: 1,
    });
    if (latest === undefined) {
      throw new ArmError(404, 'NotFound', 'The entity was not found in this Azure location.');
    }
    return latestUpgrade(latest, region);
  });
}

/** @throws ArmError when there is none at that address */
async function findScaleSet(fleet: Pick<Fleet, 'scaleSet'>, address: Address): Promise<ScaleSet> {
  const { subscription, resourceGroup, name } = address;
  const id = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/${TYPE}/${name}`;
  const found = await fleet.scaleSet(id);
  if (found !== null) return found;
  throw new ArmError(
    404,
    'ResourceNotFound',
    `The Resource '${TYPE}/${name}' under resource group '${resourceGroup}' was not found.`,
  );
}
