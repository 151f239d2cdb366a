import { eligibility, type EligibilityFacts } from '../../src/domain/eligibility.ts';
import type { ImageVersion, PlatformImage } from '../../src/domain/image.ts';
import type { Extension, ScaleSet } from '../../src/domain/scale-set.ts';

export const jammy: PlatformImage = {
  kind: 'platform',
  publisher: 'Canonical',
  offer: '0001-com-ubuntu-server-jammy',
  sku: '22_04-LTS',
};
export const target: ImageVersion = { image: jammy, version: '22.04.202601010' };

export const extension = (publisher: string, type: string, more: Partial<Extension> = {}): Extension => ({
  name: type,
  publisher,
  type,
  typeHandlerVersion: '1.0',
  provisionAfterExtensions: [],
  externalResources: [],
  ...more,
});
export const healthExtension = extension('Microsoft.ManagedServices', 'ApplicationHealthLinux');

export const optedIn = {
  enableAutomaticOSUpgrade: true,
  disableAutomaticRollback: false,
  useRollingUpgradePolicy: false,
};

/** Meets every requirement. */
export const web: ScaleSet = {
  id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/web',
  name: 'web',
  resourceGroup: 'g',
  subscriptionId: 's',
  region: 'westeurope',
  zones: [],
  orchestrationMode: 'Uniform',
  osType: 'Linux',
  upgradePolicy: { mode: 'Automatic', rollingUpgradePolicy: {}, automaticOSUpgradePolicy: optedIn },
  imageReference: { image: jammy, version: 'latest' },
  extensions: [healthExtension],
  hasCustomData: false,
  keepsDriveLetters: false,
  dataDisks: [],
  healthExtension: null,
  serviceFabric: null,
  computerNamePrefix: 'web',
  healthProbeId: null,
  singlePlacementGroup: true,
  enableAutomaticUpdates: null,
  modelApiVersion: '2024-07-01',
  modelVersion: 1,
  automaticUpgradesSince: 0,
};

const allIsWell: EligibilityFacts = {
  regionOffersVersion: true,
  excludedFromLatest: false,
  heldBack: null,
  cancelled: null,
  probe: { intervalSeconds: 15, loadBalancerSku: 'Standard' },
  cluster: null,
  unusableResources: [],
};

/** How `web` is judged with a change of it, among changed facts. */
export const judge = (
  change: Partial<ScaleSet> = {},
  facts: Partial<EligibilityFacts> = {},
  { automatic = true, to = target } = {},
) => eligibility({ ...web, ...change }, to, { ...allIsWell, ...facts }, { automatic });

export const codes = (...input: Parameters<typeof judge>) =>
  judge(...input).reasons.map((reason) => reason.code);
