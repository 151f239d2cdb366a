import { HOUR, MINUTE, isoTime, type Instant } from '../../src/domain/clock.ts';
import type { Image, ImageVersion } from '../../src/domain/image.ts';
import type { PhaseOverrides } from '../../src/domain/phase-gate.ts';
import type { PhasePlan } from '../../src/domain/phases.ts';
import { DEFAULT_SETTINGS, type RolloutSettings } from '../../src/domain/policy.ts';
import type { FaultSpec, FleetSpec } from '../../src/fleet/index.ts';
import { EPOCH, JAMMY, NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';
import {
  REGIONS,
  type Case,
  type FaultCase,
  type ImageName,
  type PolicyCase,
  type RegionName,
  type GateCase,
  type RolloutCase,
  type SetCase,
} from './case.ts';
import { fabricSpec, mismatchedCluster } from './fabric.ts';

/** When random rollouts begin: later than any clock of this machine would say. */
export const START: Instant = EPOCH + 24 * HOUR;

/** What the `download` extension downloads: its credential can expire, and it can be gone. */
export const RESOURCE = 'https://store.example/app.zip';

const GALLERY =
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/images/providers/Microsoft.Compute/galleries/own/images/app';

export const IMAGES: Record<ImageName, Image> = {
  jammy: JAMMY,
  focal: {
    kind: 'platform',
    publisher: 'Canonical',
    offer: '0001-com-ubuntu-server-focal',
    sku: '20_04-lts',
  },
  gallery: { kind: 'gallery', id: GALLERY },
};

export const targetOf = (image: ImageName): ImageVersion => ({ image: IMAGES[image], version: NEW_VERSION });

export const nameOf = (index: number) => `set-${index}`;

/** The fleet of a case, as its file would spell it. */
export function fleetOfCase({ seed, sets, faults, instant }: Case): FleetSpec {
  const before = { version: OLD_VERSION };
  const now = { version: NEW_VERSION, publishedAt: isoTime(EPOCH) };
  const platform = [IMAGES.jammy, IMAGES.focal].map((image) => {
    if (image.kind !== 'platform') throw new TypeError('These are platform images.');
    const { publisher, offer, sku } = image;
    return { publisher, offer, sku, versions: [before, now] };
  });
  const everywhere = REGIONS.map((name) => ({ name }));
  // One region never gets the gallery's version, and one gets it excluded from latest.
  const targetRegions = REGIONS.slice(1).map((name) => ({ name, excludeFromLatest: name === 'westeurope' }));
  return {
    seed,
    epochVirtual: isoTime(EPOCH),
    images: platform,
    galleries: [
      {
        id: GALLERY,
        versions: [
          { ...before, targetRegions: everywhere },
          { ...now, targetRegions },
        ],
      },
    ],
    behaviour: instant ? 'instant' : {},
    externalResources: [{ url: RESOURCE }],
    scaleSets: sets.map(setSpec),
    serviceFabricClusters: sets.flatMap(({ fabric }, i) =>
      fabric?.mismatched === true ? [mismatchedCluster(fabric, nameOf(i))] : [],
    ),
    faults: faults.map((fault) => faultSpec(fault, sets.length)),
  };
}

type SetSpec = NonNullable<FleetSpec['scaleSets']>[number];

function setSpec(set: SetCase, index: number): SetSpec {
  const image = IMAGES[set.image];
  const zones = set.region === 'westus' ? [] : ['1', '2', '3'].slice(0, set.zones);
  return {
    name: nameOf(index),
    region: set.region,
    zones,
    capacity: set.capacity,
    image: image.kind === 'platform' ? namesOf(image) : { id: image.id },
    version: set.upToDate ? NEW_VERSION : OLD_VERSION,
    mode: set.mode,
    orchestrationMode: set.flexible ? 'Flexible' : 'Uniform',
    automaticOSUpgrade: set.optedIn,
    disableAutomaticRollback: set.noRollback,
    ...(set.policy ? { rollingUpgradePolicy: policySpec(set.policy) } : {}),
    extensions: set.extensions.map((name) => ({
      name,
      ...(name === 'download' ? { settings: { fileUris: [RESOURCE] } } : {}),
    })),
    health: set.health,
    protectedInstances: set.protectedInstances.map(String),
    ...(set.fabric ? { serviceFabric: fabricSpec(set.fabric, nameOf(index)) } : {}),
  };
}

function namesOf({ publisher, offer, sku }: Extract<Image, { kind: 'platform' }>) {
  return { publisher, offer, sku };
}

function policySpec({ pause, ...policy }: PolicyCase): Record<string, unknown> {
  return { ...policy, pauseTimeBetweenBatches: `PT${pause}M` };
}

/** Longer than the patience with one set, which is given up then, and less than for ever. */
const MANY_TIMES = 40;

function faultSpec(fault: FaultCase, sets: number): FaultSpec {
  const { kind, share, from, minutes, times, effect, operation } = fault;
  const scaleSet = fault.set === null ? {} : { scaleSet: nameOf(fault.set % sets) };
  const target = { ...scaleSet, share };
  const version = fault.onNewOnly ? { version: NEW_VERSION } : {};
  const since = isoTime(START + from * MINUTE);
  switch (kind) {
    case 'neverHealthy':
      return { kind, version: fault.onNewOnly ? NEW_VERSION : OLD_VERSION, ...target };
    case 'slowHealth':
    case 'slowBoot':
      return { kind, seconds: minutes * 5, ...version, ...target };
    case 'extensionFails':
      return { kind, extension: 'app', ...version, ...target };
    case 'swapFails':
      return { kind, ...(times < 3 ? { times } : {}), ...version, ...target };
    case 'restoreFails':
      return { kind, ...(times < 3 ? { times } : {}), ...target };
    case 'credentialExpired':
    case 'resourceGone':
      return { kind, url: RESOURCE, at: since };
    case 'outage':
      return { kind, from: since, to: isoTime(START + (from + minutes) * MINUTE), ...target };
    case 'apiError':
      return {
        ...{ kind, operation, effect, ...scaleSet, times: fault.forLong ? MANY_TIMES : times },
        ...(effect === 'throttled' ? { retryAfterSeconds: fault.minutes * 5 + 1 } : {}),
      };
    default:
      throw new TypeError(`No case makes a fault ${kind}.`);
  }
}

/** What a region or a set adds to its history, about, between two chances to continue as new. */
const EVENTS_BETWEEN_CHANCES = 10;

export function settingsOf(rollout: RolloutCase, { continueAsNewEvery }: Case): RolloutSettings {
  const { quick, tolerance, healthTimeout, chunkSize, maxConcurrent } = rollout;
  return {
    ...DEFAULT_SETTINGS,
    ...(quick
      ? { triggerDelay: { min: 0, max: MINUTE }, firstTriggerDelay: 0, bakeTime: MINUTE }
      : { firstTriggerDelay: HOUR }),
    failureTolerancePercent: tolerance,
    healthTimeout: healthTimeout * MINUTE,
    chunkSize,
    maxConcurrentScaleSets: maxConcurrent,
    ...(continueAsNewEvery > 0 ? { maxHistoryEvents: continueAsNewEvery * EVENTS_BETWEEN_CHANCES } : {}),
  };
}

/** The fleet's regions in phases: never both of a pair in one (rule D1). A gallery's rollout has one phase (rule D5). */
export function phasesOf({ image, phaseWidth, gates }: RolloutCase, sets: readonly SetCase[]): PhasePlan[] {
  const regions = REGIONS.filter((region) =>
    sets.some((one) => one.image === image && one.region === region),
  );
  if (image === 'gallery') return regions.length > 0 ? [{ name: 'all', regions }] : [];
  const phases: RegionName[][] = [];
  for (const region of regions) {
    const open = phases.at(-1);
    const partners = PARTNERS[region] ?? [];
    if (open && open.length < phaseWidth && !open.some((one) => partners.includes(one))) open.push(region);
    else phases.push([region]);
  }
  return phases.map((each, i) => ({
    name: `phase ${i + 1}`,
    regions: each,
    ...overridesOf(gates[i % gates.length]),
  }));
}

function overridesOf(gate: GateCase | undefined): PhaseOverrides {
  if (gate === undefined) return {};
  const { tolerance, bake, approval } = gate;
  return {
    ...(tolerance === null ? {} : { failureTolerancePercent: tolerance }),
    ...(bake === null ? {} : { bakeTime: bake * MINUTE }),
    ...(approval ? { approval } : {}),
  };
}

const PARTNERS: Partial<Record<RegionName, RegionName[]>> = {
  eastus: ['westus', 'westus3'],
  westus: ['eastus'],
  westus3: ['eastus'],
  northeurope: ['westeurope'],
  westeurope: ['northeurope'],
};
