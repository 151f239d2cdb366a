import type { Instant } from '../../src/domain/clock.ts';
import type { Instance } from '../../src/domain/scale-set.ts';

/** When an instance's signal first said healthy after its configuration, or null. */
export function healthySince(instance: Pick<Instance, 'healthyStretches'> | undefined): Instant | null {
  return instance?.healthyStretches[0]?.from ?? null;
}

/** An instance that everything is well with, seen at 0. */
export const HEALTHY: Instance = {
  seenAt: 0,
  instanceId: '0',
  scaleSetId: 'web',
  zone: null,
  updateDomain: 0,
  faultDomain: 0,
  osDisk: {
    id: 'disk',
    source: { image: { kind: 'gallery', id: 'image' }, version: '1.0.0' },
    createdAt: 0,
  },
  previousOsDisk: null,
  dataDisks: [],
  extensions: [{ name: 'health', state: 'succeeded' }],
  powerState: 'running',
  provisioningState: 'Succeeded',
  applicationHealth: 'healthy',
  latestModelApplied: true,
  protectFromScaleSetActions: false,
  configuredAt: 0,
  healthyStretches: [{ from: 0, to: null }],
  readingInterval: 0,
  vmId: '0',
  computerName: 'web000000',
  privateIpAddress: '10.0.0.4',
};
