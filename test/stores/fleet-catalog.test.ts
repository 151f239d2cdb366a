import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isHealthy } from '../../src/domain/health.ts';
import { generateFleet, openSimulatedFleet } from '../../src/fleet/index.ts';
import { describeEngines } from '../support/engines.ts';
import { EPOCH, fleetOf, fleetSpecOf, JAMMY, NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';

const HOUR = 3_600_000;
const GALLERY = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/own/images/web';

describeEngines('catalog and making of a simulated fleet', (open) => {
  const aFleet = async () =>
    (
      await fleetOf([{ region: 'eastus', capacity: 1 }], {
        database: await open(),
        regions: ['eastus', 'westus'],
      })
    ).fleet;

  it('offers platform versions everywhere once they are published, newest first (rule E3)', async () => {
    const fleet = await aFleet();
    const version = '22.04.202601010';
    const offers = async (region: string, at: number) =>
      (await fleet.imageOffers({ ...JAMMY, sku: '22_04-LTS' }, region, at)).map((offer) => offer.version);
    expect(await fleet.publishImageVersion({ image: JAMMY, version, at: EPOCH + HOUR })).toEqual({
      kind: 'published',
      publishedAt: EPOCH + HOUR,
    });
    expect(await offers('westus', EPOCH + HOUR - 1)).toEqual([NEW_VERSION, OLD_VERSION]);
    expect(await offers('westus', EPOCH + HOUR)).toEqual([version, NEW_VERSION, OLD_VERSION]);
    expect(await offers('westeurope', EPOCH + HOUR)).toEqual([]);
    expect(await fleet.publishImageVersion({ image: JAMMY, version, at: EPOCH + 2 * HOUR })).toEqual({
      kind: 'existed',
      publishedAt: EPOCH + HOUR,
    });
  });

  it('says what is wrong with a version that cannot be published', async () => {
    const fleet = await aFleet();
    const publish = (sku: string, version: string) =>
      fleet.publishImageVersion({ image: { ...JAMMY, sku }, version, at: EPOCH });
    await expect(publish('22_04-lts', 'latest')).rejects.toMatchObject({ code: 'InvalidVersion' });
    await expect(publish('22_04-its', '1.2.3')).rejects.toThrow(/Nearest to it: .*22_04-lts/);
    await expect(
      fleet.publishGalleryVersion({
        imageId: GALLERY,
        version: '1.0.0',
        at: EPOCH,
        targetRegions: [{ name: 'Mars', replicatedAt: EPOCH }],
      }),
    ).rejects.toMatchObject({ code: 'RegionNotFound' });
  });

  it('offers gallery versions where and when they are replicated, and says which are kept out (rule C3)', async () => {
    const fleet = await aFleet();
    const image = { kind: 'gallery', id: GALLERY } as const;
    const target = (name: string, replicatedAt: number | null, excludeFromLatest = false) => ({
      name,
      replicatedAt,
      excludeFromLatest,
    });
    const publish = (
      version: string,
      targetRegions: ReturnType<typeof target>[],
      excludeFromLatest = false,
    ) =>
      fleet.publishGalleryVersion({ imageId: GALLERY, version, at: EPOCH, targetRegions, excludeFromLatest });
    await publish('1.0.0', [target('East US', EPOCH), target('westus', EPOCH + HOUR)]);
    await publish('1.1.0', [target('eastus', EPOCH, true), target('westus', null)]);
    await publish('1.10.0', [target('eastus', EPOCH)], true);
    const offers = async (region: string, at: number) =>
      (await fleet.imageOffers(image, region, at)).map((offer) => [offer.version, offer.excludedFromLatest]);
    expect(await offers('eastus', EPOCH)).toEqual([
      ['1.10.0', true],
      ['1.1.0', true],
      ['1.0.0', false],
    ]);
    expect(await offers('westus', EPOCH)).toEqual([]);
    expect(await offers('westus', EPOCH + HOUR)).toEqual([['1.0.0', false]]);
    expect(await publish('1.1.0', [target('westus', EPOCH)])).toMatchObject({ kind: 'existed' });
    expect(await offers('westus', EPOCH)).toEqual([['1.1.0', false]]);
    const [own, jammy] = await fleet.catalog();
    expect(own).toMatchObject({
      image,
      versions: [
        { version: '1.10.0', excludedFromLatest: true, replicas: [{ region: 'eastus' }] },
        {
          version: '1.1.0',
          replicas: [{ region: 'eastus', excludedFromLatest: true }, { region: 'westus' }],
        },
        { version: '1.0.0', replicas: [{ region: 'eastus' }, { replicatedAt: EPOCH + HOUR }] },
      ],
    });
    expect(jammy?.versions).toMatchObject([
      { version: NEW_VERSION, replicas: null },
      { version: OLD_VERSION },
    ]);
  });

  it('finds sets by region and image', async () => {
    const { fleet, scaleSetIds } = await fleetOf(
      [
        { region: 'eastus', capacity: 1 },
        { region: 'westus', capacity: 1 },
        { region: 'westus', capacity: 1, image: { id: GALLERY }, version: '1.0.0' },
      ],
      { database: await open() },
    );
    const ids = async (filter: Parameters<typeof fleet.scaleSets>[0]) =>
      (await fleet.scaleSets(filter)).map(({ id }) => scaleSetIds.indexOf(id));
    expect(await ids({})).toEqual([0, 1, 2]);
    expect(await ids({ region: 'westus' })).toEqual([1, 2]);
    expect(await ids({ region: 'westus', image: { ...JAMMY, publisher: 'CANONICAL' } })).toEqual([1]);
    expect(await ids({ image: { kind: 'gallery', id: GALLERY.toUpperCase() } })).toEqual([2]);
  });

  it('begins healthy, with the clock of its description', async () => {
    const { fleet, scaleSetIds } = await fleetOf([{ region: 'eastus', capacity: 4, health: 'none' }], {
      database: await open(),
      speed: 60,
    });
    expect(await fleet.clock()).toMatchObject({ epochVirtual: EPOCH, speed: 60 });
    const instances = await fleet.instances(scaleSetIds[0] as string, EPOCH);
    expect(instances.every(isHealthy)).toBe(true);
    expect(instances.every(({ latestModelApplied }) => latestModelApplied)).toBe(true);
    expect((await fleet.timings()).osDiskSwap).toEqual({ min: 50_000, max: 110_000 });
    expect((await fleet.regions()).find(({ name }) => name === 'westus')?.pairedRegion).toBe('eastus');
  });

  it('has wall time before it was made, and is made only once', async () => {
    const fleet = await openSimulatedFleet(await open());
    expect(await fleet.clock()).toEqual({ epochVirtual: 0, epochWall: 0, speed: 1 });
    expect(await fleet.scaleSets()).toEqual([]);
    const spec = fleetSpecOf([{ region: 'eastus', capacity: 1 }]);
    await fleet.seed(spec);
    await expect(fleet.seed(spec)).rejects.toThrow(/already/);
  });

  it.each([
    [{ regions: ['mars'] }, /no region "mars"/],
    [{ regions: ['westus'] }, /"set-1" is in "eastus"/],
    [{ speed: 0 }, /speed/],
    [{ faults: [{ kind: 'outage', from: 'soon', to: 'later' }] }, /faults\[0\]/],
  ])('makes nothing of a wrong description: %j', async (wrong, message) => {
    const fleet = await openSimulatedFleet(await open());
    const spec = { ...fleetSpecOf([{ region: 'eastus', capacity: 1 }]), ...wrong };
    await expect(fleet.seed(spec)).rejects.toThrow(message);
    expect(await fleet.regions()).toEqual([]);
  });

  it('has no zones where the region has none (rule A2)', async () => {
    const fleet = await openSimulatedFleet(await open());
    const spec = fleetSpecOf([{ region: 'westus', capacity: 1, zones: ['1'] }]);
    await expect(fleet.seed(spec)).rejects.toThrow(/zone 1, which westus does not have/);
  });

  it('makes fleets by numbers, the same for the same seed', async () => {
    const options = { seed: 's', regions: 5, scaleSets: 12, instances: 300 };
    expect(generateFleet(options)).toEqual(generateFleet(options));
    const fleet = await openSimulatedFleet(await open());
    expect(await fleet.seed(generateFleet(options))).toMatchObject({
      regions: 5,
      scaleSets: 12,
      instances: 300,
    });
  });

  it.each(['small', 'demo'])('makes the example fleet %s', async (name) => {
    const fleet = await openSimulatedFleet(await open());
    const spec: unknown = JSON.parse(readFileSync(`examples/fleets/${name}.json`, 'utf8'));
    const { instances, scaleSets } = await fleet.seed(spec);
    const seen = await Promise.all((await fleet.scaleSets()).map(({ id }) => fleet.instances(id, 0)));
    expect(seen).toHaveLength(scaleSets);
    expect(seen.flat()).toHaveLength(instances);
  });
});
