/**
 * ARM JSON as it is on the wire. Clients show it otherwise: the az CLI and the JavaScript SDK flatten `properties` into
 * the object around it, and hand-written templates spell keys in other cases. What is unknown stays as it is.
 */
export type Json = Record<string, unknown>;

/** Keys in the API's spelling, as deep as they are read. */
interface Shape {
  [key: string]: Shape | null;
}

const ROLLING_POLICY: Shape = {
  maxBatchInstancePercent: null,
  maxUnhealthyInstancePercent: null,
  maxUnhealthyUpgradedInstancePercent: null,
  pauseTimeBetweenBatches: null,
  enableCrossZoneUpgrade: null,
  prioritizeUnhealthyInstances: null,
  rollbackFailedInstancesOnPolicyBreach: null,
  maxSurge: null,
};

const EXTENSION_PROPERTIES: Shape = {
  publisher: null,
  type: null,
  typeHandlerVersion: null,
  settings: { fileUris: null },
  protectedSettings: null,
  provisionAfterExtensions: null,
};

const PROPERTIES: Shape = {
  orchestrationMode: null,
  overprovision: null,
  singlePlacementGroup: null,
  platformFaultDomainCount: null,
  provisioningState: null,
  uniqueId: null,
  timeCreated: null,
  upgradePolicy: {
    mode: null,
    rollingUpgradePolicy: ROLLING_POLICY,
    automaticOSUpgradePolicy: {
      enableAutomaticOSUpgrade: null,
      disableAutomaticRollback: null,
      useRollingUpgradePolicy: null,
      osRollingUpgradeDeferral: null,
    },
  },
  virtualMachineProfile: {
    osProfile: {
      computerNamePrefix: null,
      customData: null,
      windowsConfiguration: { enableAutomaticUpdates: null, patchSettings: { patchMode: null } },
      linuxConfiguration: { patchSettings: { patchMode: null } },
    },
    storageProfile: {
      imageReference: {
        publisher: null,
        offer: null,
        sku: null,
        version: null,
        id: null,
        sharedGalleryImageId: null,
        communityGalleryImageId: null,
      },
      osDisk: { osType: null },
      dataDisks: { lun: null, diskSizeGB: null },
    },
    networkProfile: { healthProbe: { id: null }, networkInterfaceConfigurations: null },
    extensionProfile: { extensions: { name: null, properties: EXTENSION_PROPERTIES } },
  },
};

const RESOURCE: Shape = {
  id: null,
  name: null,
  type: null,
  location: null,
  tags: null,
  zones: null,
  sku: { name: null, tier: null, capacity: null },
  plan: null,
  identity: null,
  etag: null,
  kind: null,
  managedBy: null,
  extendedLocation: null,
  systemData: null,
  placement: null,
  resourceGroup: null,
  properties: PROPERTIES,
};

/** The article's names for what the API calls otherwise. */
const ALIASES: Record<string, string> = { batchinstancepercent: 'maxBatchInstancePercent' };

export function isJsonObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A scale set's model in wire shape, from wire shape or from a client's flattened one. */
export function toWireShape(model: Json): Json {
  const nested = nest(model, RESOURCE);
  const properties = nested['properties'];
  const profile = isJsonObject(properties) ? find(properties, 'virtualMachineProfile') : undefined;
  if (isJsonObject(properties) && profile !== undefined && isJsonObject(profile.value)) {
    nested['properties'] = { ...properties, [profile.key]: withNestedParts(profile.value) };
  }
  return respell(nested, RESOURCE) as Json;
}

/**
 * A model with another one laid over it, as JSON merge patch has it: objects are merged, lists and values replaced, and
 * null removes.
 */
export function mergeModels(base: Json, over: Json): Json {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const there = merged[key];
    if (value === null) delete merged[key];
    else if (isJsonObject(value)) merged[key] = mergeModels(isJsonObject(there) ? there : {}, value);
    else merged[key] = value;
  }
  return merged;
}

/** An instance (`az vmss list-instances`) in wire shape. */
export function instanceToWireShape(instance: Json): Json {
  return nest(instance, { ...RESOURCE, instanceId: null, resources: null });
}

/** Moves everything that is not the resource's own into `properties`, unless there is one. */
function nest(model: Json, own: Shape): Json {
  if (find(model, 'properties') !== undefined) return respell(model, { properties: null }) as Json;
  const names = new Set(Object.keys(own).map((key) => key.toLowerCase()));
  const entries = Object.entries(model);
  return {
    ...Object.fromEntries(entries.filter(([key]) => names.has(key.toLowerCase()))),
    properties: Object.fromEntries(entries.filter(([key]) => !names.has(key.toLowerCase()))),
  };
}

/** Extensions and network interfaces have a `properties` of their own. */
function withNestedParts(profile: Json): Json {
  const extended = replaceList(profile, 'extensionProfile', 'extensions', nestExtension);
  return replaceList(extended, 'networkProfile', 'networkInterfaceConfigurations', nestInterface);
}

function nestExtension(extension: Json): Json {
  if (find(extension, 'properties') !== undefined) return extension;
  const { name, id, type, typePropertiesType, ...rest } = extension;
  // Next to `typePropertiesType`, a plain `type` is the resource's.
  const handlerType = typePropertiesType ?? type;
  return {
    name,
    ...(id === undefined ? {} : { id }),
    properties: { ...rest, ...(handlerType === undefined ? {} : { type: handlerType }) },
  };
}

function nestInterface(part: Json): Json {
  const nested = find(part, 'properties') === undefined ? nestNamed(part) : part;
  const properties = nested['properties'];
  if (!isJsonObject(properties) || !Array.isArray(properties['ipConfigurations'])) return nested;
  const configurations = properties['ipConfigurations'].map((configuration: unknown) =>
    isJsonObject(configuration) && find(configuration, 'properties') === undefined
      ? nestNamed(configuration)
      : configuration,
  );
  return { ...nested, properties: { ...properties, ipConfigurations: configurations } };
}

function nestNamed({ name, id, ...properties }: Json): Json {
  return { name, ...(id === undefined ? {} : { id }), properties };
}

/** `parent[outer][inner]`, a list, with each of its objects replaced. */
function replaceList(parent: Json, outer: string, inner: string, replace: (item: Json) => Json): Json {
  const holder = find(parent, outer);
  if (holder === undefined || !isJsonObject(holder.value)) return parent;
  const list = find(holder.value, inner);
  if (list === undefined || !Array.isArray(list.value)) return parent;
  const items = list.value.map((item: unknown) => (isJsonObject(item) ? replace(item) : item));
  return { ...parent, [holder.key]: { ...holder.value, [list.key]: items } };
}

/** Gives known keys the API's spelling, in objects and in lists of them. */
function respell(value: unknown, shape: Shape): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => respell(item, shape));
  if (!isJsonObject(value)) return value;
  const spelling = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const lower = key.toLowerCase();
      const known = spelling.get(lower) ?? spelling.get((ALIASES[lower] ?? '').toLowerCase());
      if (known === undefined) return [key, item];
      const inner = shape[known];
      return [known, inner ? respell(item, inner) : item];
    }),
  );
}

/** A key and its value, whatever the key's case. */
function find(object: Json, key: string): { key: string; value: unknown } | undefined {
  const found = Object.keys(object).find((candidate) => candidate.toLowerCase() === key.toLowerCase());
  return found === undefined ? undefined : { key: found, value: object[found] };
}
