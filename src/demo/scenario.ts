import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ClientContext } from '../client/context.ts';
import { currentInstant } from '../client/context.ts';
import { ClientError } from '../client/errors.ts';
import type { PlanRequest } from '../client/plan-types.ts';
import { startRollout, type StartedRollout } from '../client/start.ts';
import type { SettingsOverrides } from '../client/settings.ts';
import { HOUR, MINUTE } from '../domain/clock.ts';
import { imageLabel, type PlatformImage } from '../domain/image.ts';
import type { SeededFleet, SimulatedFleet } from '../fleet/index.ts';

/** What the demo plays: this fleet, this image, these settings. */

export const IMAGE: PlatformImage = {
  kind: 'platform',
  publisher: 'Canonical',
  offer: '0001-com-ubuntu-server-jammy',
  sku: '22_04-lts',
};

export const VERSION = '22.04.202512050';

/** The whole of the demo takes a minute and a half at this speed on two cores (measured); faster, the cores set the pace. */
const SPEED = 550;

/** Bake and looks are short enough for the demo to end soon; triggers come after the 30 to 60 minutes of rule D6. */
const SETTINGS: SettingsOverrides = {
  failureTolerancePercent: 2,
  bakeTime: 20 * MINUTE,
  fallbackPoll: HOUR,
  healthPollInterval: MINUTE,
};

/**
 * The demo fleet's phases, as a person would choose them: a canary, then growing ones. Planned ones would put half of all
 * batches into the last phase, where they would wait for two cores instead of for each other (measured).
 */
const PHASES = [
  { name: 'canary', regions: ['eastasia'] },
  { name: 'early', regions: ['japanwest', 'westcentralus'] },
  {
    name: 'phase 3',
    regions: ['brazilsouth', 'canadaeast', 'centralus', 'japaneast', 'northcentralus', 'ukwest', 'westus2'],
  },
  { name: 'phase 4', regions: ['canadacentral', 'eastus', 'northeurope', 'swedencentral'] },
  {
    name: 'broad',
    regions: ['eastus2', 'southcentralus', 'southeastasia', 'uksouth', 'westeurope', 'westus'],
  },
];

const FLEET_FILE = fileURLToPath(new URL('../../examples/fleets/demo.json', import.meta.url));

export interface FleetChoice {
  file?: string | undefined;
  speed?: number | undefined;
  seed?: string | undefined;
}

/**
 * Fills the demo's fleet from its description, at the demo's speed. The fleet's clock starts here.
 * @throws Error that names the file, when it can't be read or is no fleet
 */
export async function seedDemoFleet(
  fleet: SimulatedFleet,
  { file = FLEET_FILE, speed, seed }: FleetChoice,
): Promise<SeededFleet & { file: string; speed: number }> {
  const spec = await readSpec(file);
  const chosen = speed ?? (file === FLEET_FILE ? SPEED : spec.speed) ?? SPEED;
  try {
    const seeded = await fleet.seed({
      ...spec,
      speed: chosen,
      ...(seed === undefined ? {} : { seed }),
    });
    return { ...seeded, file, speed: chosen };
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function readSpec(file: string): Promise<{ speed?: number }> {
  try {
    const spec: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof spec === 'object' && spec !== null) return spec;
  } catch (error) {
    throw new Error(`The fleet's description ${file} can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  throw new Error(`${file} is no description of a fleet: it must hold a JSON object.`);
}

/** Makes the new version available in all regions, which is what a publisher does. */
export async function publishVersion(fleet: SimulatedFleet): Promise<void> {
  await fleet.publishImageVersion({ image: IMAGE, version: VERSION, at: await currentInstant({ fleet }) });
}

/** The rollout that the demo starts: the phases of another fleet are planned from its regions. */
export function demoRequest({ file }: FleetChoice): PlanRequest {
  const phases = file === undefined ? PHASES : undefined;
  return { image: imageLabel(IMAGE), version: VERSION, settings: SETTINGS, phases };
}

/** A server that a person chose may know this many demos of former days. */
const MAX_GENERATIONS = 50;

/**
 * Starts the rollout. On a server that has seen demos before, the id may be taken by one of them, of which this demo's
 * ledger knows nothing: starting again takes the next generation.
 */
export async function startDemo(context: ClientContext, request: PlanRequest): Promise<StartedRollout> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startRollout(context, { ...request, who: 'the demo' });
    } catch (error) {
      const taken = error instanceof ClientError && error.code === 'Conflict';
      if (!taken || attempt === MAX_GENERATIONS) throw error;
    }
  }
}
