import { z } from 'zod';
import { isVersion } from '../../domain/image.ts';
import { DURABILITIES } from '../../domain/scale-set.ts';
import { behaviourOrInstant } from './behaviour.ts';
import { textSchema } from '../text-schema.ts';
import { faultSchema } from './faults.ts';
import { isoInstant } from './instant.ts';
import { parseOrExplain } from './parse.ts';

const name = textSchema('give a text');
const version = z.string().refine(isVersion, { error: 'give a version such as 22.04.202511010' });
const image = z.strictObject({ publisher: name, offer: name, sku: name });

/** The catalog: a platform image and its versions. */
const platformImage = image.extend({
  versions: z.array(z.strictObject({ version, publishedAt: isoInstant.optional() })),
});

const galleryVersion = z.strictObject({
  version,
  publishedAt: isoInstant.optional(),
  excludeFromLatest: z.boolean().default(false),
  targetRegions: z.array(
    z.strictObject({
      name,
      /** Null: replication failed. Absent: it is replicated since it was published. */
      replicatedAt: isoInstant.nullable().optional(),
      excludeFromLatest: z.boolean().default(false),
    }),
  ),
});
const galleryImage = z.strictObject({ id: name, versions: z.array(galleryVersion) });

const extension = z.strictObject({
  name,
  publisher: name.default('Microsoft.Azure.Extensions'),
  type: name.default('CustomScript'),
  typeHandlerVersion: name.default('2.1'),
  provisionAfterExtensions: z.array(name).default([]),
  settings: z.record(z.string(), z.unknown()).default({}),
});

const durability = z.enum(DURABILITIES);

/** Makes a scale set a node type of a Service Fabric cluster. A cluster that is not listed comes about by it. */
const serviceFabric = z.strictObject({
  /** Its name, if it is in the set's resource group; else its ARM id. */
  cluster: name,
  /** As the set is called, if it does not say. */
  nodeType: name.optional(),
  durability,
  stateless: z.boolean().default(false),
  typeHandlerVersion: name.default('1.1'),
});

const scaleSet = z.strictObject({
  name,
  resourceGroup: name.default('fleet'),
  subscriptionId: name.default('00000000-0000-0000-0000-000000000001'),
  region: name,
  zones: z.array(name).default([]),
  capacity: z.int().min(0).max(1000),
  os: z.enum(['Linux', 'Windows']).default('Linux'),
  image: z.union([image, z.strictObject({ id: name })]),
  /** What the model says: `latest`, or a version that pins it. */
  imageVersion: name.default('latest'),
  /** The version that the instances start on. */
  version,
  mode: z.enum(['Manual', 'Automatic', 'Rolling']).default('Manual'),
  orchestrationMode: z.enum(['Uniform', 'Flexible']).default('Uniform'),
  automaticOSUpgrade: z.boolean().default(true),
  /** When automatic upgrades were switched on; long ago if it does not say. */
  automaticOSUpgradeSince: isoInstant.optional(),
  disableAutomaticRollback: z.boolean().default(false),
  /** In ARM's names and units; with it `useRollingUpgradePolicy` is true. */
  rollingUpgradePolicy: z.record(z.string(), z.unknown()).optional(),
  extensions: z.array(extension).default([]),
  /** A probe, if it does not say; Service Fabric from Silver on needs none, and bears none. */
  health: z.enum(['probe', 'extension', 'none']).optional(),
  serviceFabric: serviceFabric.optional(),
  /** Sizes in GB. */
  dataDisks: z.array(z.int().positive()).default([]),
  keepDriveLetters: z.boolean().default(false),
  enableAutomaticUpdates: z.boolean().default(false),
  singlePlacementGroup: z.boolean().optional(),
  apiVersion: z.iso.date().default('2024-11-01'),
  protectedInstances: z.array(name).default([]),
  /** Merged into the ARM model, object by object; lists and values take the place of what is there. */
  model: z.record(z.string(), z.unknown()).default({}),
});

export const scaleSetSpecSchema = scaleSet.transform((set) => {
  const judgesItself = set.serviceFabric !== undefined && set.serviceFabric.durability !== 'Bronze';
  return { ...set, health: set.health ?? (judgesItself ? ('none' as const) : ('probe' as const)) };
});

const armResource = z.looseObject({ id: name });

/** In ARM's names. */
const cluster = armResource.extend({
  name: name.optional(),
  location: name.optional(),
  properties: z.looseObject({
    clusterEndpoint: z.url().optional(),
    nodeTypes: z.array(
      z.looseObject({
        name,
        durabilityLevel: durability.default('Bronze'),
        isStateless: z.boolean().default(false),
        isPrimary: z.boolean().default(false),
      }),
    ),
  }),
});

export const fleetSpecSchema = z.strictObject({
  seed: z.union([name, z.int().transform(String)]).default('1'),
  /** Virtual milliseconds in a wall millisecond. */
  speed: z.number().positive().max(1_000_000).default(1),
  /** The virtual time at which the fleet begins; now, if it does not say. */
  epochVirtual: isoInstant.optional(),
  regions: z.union([z.literal('all'), z.array(name).min(1)]).default('all'),
  images: z.array(platformImage).default([]),
  galleries: z.array(galleryImage).default([]),
  scaleSets: z.array(scaleSetSpecSchema).default([]),
  behaviour: behaviourOrInstant.prefault({}),
  faults: z.array(faultSchema).default([]),
  externalResources: z
    .array(
      z.strictObject({
        url: z.url(),
        credentialExpiresAt: isoInstant.nullable().default(null),
        goneAt: isoInstant.nullable().default(null),
      }),
    )
    .default([]),
  loadBalancers: z.array(armResource).default([]),
  serviceFabricClusters: z.array(cluster).default([]),
});

/** A fleet as its file spells it (`examples/fleets/*.json`). */
export type FleetSpec = z.input<typeof fleetSpecSchema>;
/** A fleet as it is built, with every default. */
export type FullFleetSpec = z.output<typeof fleetSpecSchema>;
export type ScaleSetSpec = z.input<typeof scaleSetSpecSchema>;
export type FullScaleSetSpec = z.output<typeof scaleSetSpecSchema>;
export type FullClusterSpec = z.output<typeof cluster>;

/** @throws Error that names every path that is wrong, and what to give there */
export function parseFleetSpec(spec: unknown): FullFleetSpec {
  return parseOrExplain(fleetSpecSchema, spec, "The fleet's description");
}
