import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageKey } from '../../src/domain/image.ts';
import { arePaired } from '../../src/domain/region.ts';
import type { Instance, ScaleSet } from '../../src/domain/scale-set.ts';
import { healthSignal, openSimulatedFleet, type SimulatedFleet } from '../../src/fleet/index.ts';
import { temporaryDatabase } from '../support/database.ts';
import { JAMMY, NEW_VERSION } from '../support/fleet.ts';

/** What the demo's story needs of its fleet. */
describe('examples/fleets/demo.json', () => {
  let fleet: SimulatedFleet;
  let remove: () => Promise<void>;
  let sets: ScaleSet[];
  const instancesOf = new Map<string, Instance[]>();
  const sizeOf = (set: ScaleSet) => instancesOf.get(set.id)?.length ?? 0;
  const inRollout = (set: ScaleSet) =>
    imageKey(set.imageReference.image) === imageKey(JAMMY) &&
    set.imageReference.version === 'latest' &&
    set.upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade &&
    healthSignal(set) !== null;

  beforeAll(async () => {
    const database = await temporaryDatabase();
    remove = () => database.remove();
    fleet = await openSimulatedFleet(database);
    await fleet.seed(JSON.parse(readFileSync('examples/fleets/demo.json', 'utf8')));
    sets = await fleet.scaleSets();
    for (const { id } of sets) instancesOf.set(id, await fleet.instances(id, 0));
  });
  afterAll(() => remove());

  it('is 60 scale sets of about 1,200 VMs in at least 12 regions, several of them pairs', async () => {
    const regions = await fleet.regions();
    const used = [...new Set(sets.map(({ region }) => region))];
    expect(sets).toHaveLength(60);
    expect(sets.reduce((sum, set) => sum + sizeOf(set), 0)).toBe(1200);
    expect(used.length).toBeGreaterThanOrEqual(12);
    const pairs = used.flatMap((a) => used.filter((b) => a < b && arePaired(regions, a, b)));
    expect(pairs.length).toBeGreaterThanOrEqual(5);
    const sizes = sets.map(sizeOf);
    expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([1, 100]);
  });

  it('has most sets in the rollout, and one at least for every way not to be', () => {
    const outside = sets.filter((set) => !inRollout(set));
    expect(outside.length).toBeGreaterThanOrEqual(8);
    expect(outside.length).toBeLessThanOrEqual(15);
    const jammy = outside.filter((set) => imageKey(set.imageReference.image) === imageKey(JAMMY));
    const policy = (set: ScaleSet) => set.upgradePolicy.automaticOSUpgradePolicy;
    expect(jammy.some((set) => !policy(set).enableAutomaticOSUpgrade)).toBe(true);
    expect(jammy.some((set) => set.imageReference.version !== 'latest')).toBe(true);
    expect(jammy.some((set) => healthSignal(set) === null)).toBe(true);
    expect(outside.some((set) => set.enableAutomaticUpdates === true)).toBe(true);
    expect(outside.some(({ osType, dataDisks }) => osType === 'Windows' && dataDisks.length > 0)).toBe(true);
    expect(sets.some(({ zones }) => zones.length === 3)).toBe(true);
    expect(sets.some(({ zones }) => zones.length === 0)).toBe(true);
  });

  it('does not know the version yet that the demo publishes', async () => {
    const offers = await fleet.imageOffers(JAMMY, 'eastus', Date.now());
    expect(offers.map(({ version }) => version)).not.toContain(NEW_VERSION);
    expect(offers.length).toBeGreaterThan(0);
  });

  it('has a few VMs that fail, too few to stop a set or a phase', async () => {
    const faults = await fleet.faults();
    expect(faults.length).toBeGreaterThanOrEqual(2);
    for (const fault of faults) {
      if (fault.kind !== 'neverHealthy') throw new Error(`a fault of kind ${fault.kind}`);
      expect(fault.version).toBe(NEW_VERSION);
      expect(fault.instances).toHaveLength(1);
      const set = sets.find(({ name }) => name === fault.scaleSet) as ScaleSet;
      // A batch of ten at least, in the set's last update domain: one of many that were upgraded by then.
      expect(set.zones).toEqual([]);
      expect(sizeOf(set)).toBeGreaterThanOrEqual(50);
      expect(inRollout(set)).toBe(true);
      const failing = instancesOf.get(set.id)?.find(({ instanceId }) => instanceId === fault.instances?.[0]);
      expect(failing?.updateDomain).toBe(4);
      // Even if its region were a phase of its own, less than 2 % of it would fail.
      const eligible = sets.filter((other) => other.region === set.region && inRollout(other));
      expect(1 / eligible.reduce((sum, other) => sum + sizeOf(other), 0)).toBeLessThan(0.02);
    }
    const regions = faults.map(
      (fault) => sets.find((set) => 'scaleSet' in fault && set.name === fault.scaleSet)?.region,
    );
    expect(new Set(regions).size).toBe(faults.length);
  });
});
