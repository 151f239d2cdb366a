import { afterEach, beforeEach, expect, it } from 'vitest';
import { HOUR } from '../../src/domain/clock.ts';
import { EPOCH, NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

const gallery = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/own/images/web';
let space: Workspace;
let rollouts: TestRollouts;

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space, [
    { name: 'web', region: 'eastus', capacity: 1 },
    { name: 'own', region: 'westus', capacity: 1, image: { id: gallery }, version: '1.0.0' },
  ]);
  const in10Years = EPOCH + 90_000 * HOUR;
  const target = (name: string, replicatedAt: number | null, excludeFromLatest = false) => ({
    name,
    replicatedAt,
    excludeFromLatest,
  });
  const publish = (version: string, ...targetRegions: ReturnType<typeof target>[]) =>
    rollouts.fleet.publishGalleryVersion({ imageId: gallery, version, at: EPOCH, targetRegions });
  await publish('1.0.1', target('eastus', EPOCH), target('westus', EPOCH, true));
  await publish('1.0.2', target('eastus', null), target('westus', in10Years));
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(['fleet', 'images', ...args], space);
const lines = async (...args: string[]) => (await command(...args)).stdout.trimEnd().split('\n').slice(2);

it('lists which region offers which version, since when, and what is latest there (E3, A5, C3)', async () => {
  expect(await lines(gallery)).toEqual([
    `${gallery}, used by 1 scale set`,
    '  VERSION  REGION  STATE               SINCE                LATEST',
    '  1.0.2    eastus  replication failed  -                    -',
    '           westus  not yet, from       2036-04-12 10:00:00  -',
    '  1.0.1    eastus  offered             2026-01-05 10:00:00  latest',
    '           westus  offered             2026-01-05 10:00:00  kept out of latest',
  ]);
  expect(await lines(IMAGE)).toMatchObject([
    `${IMAGE}, used by 1 scale set`,
    expect.stringMatching(/^ {2}VERSION/) as string,
    expect.stringMatching(new RegExp(`^  ${NEW_VERSION} +all +offered .* latest$`)) as string,
    expect.stringMatching(new RegExp(`^  ${OLD_VERSION} +all +offered .* -$`)) as string,
  ]);
});

it('answers with all images as JSON, and names those that there are for an unknown one', async () => {
  const { images } = JSON.parse((await command('-o', 'json')).stdout) as { images: object[] };
  expect(images).toHaveLength(2);
  expect(images[1]).toMatchObject({ image: IMAGE, kind: 'platform', scaleSets: 1 });
  expect(await command('a:b:c')).toMatchObject({
    code: 64,
    stderr: expect.stringContaining(
      `The fleet knows no image "a:b:c". It knows:\n  ${gallery}\n  ${IMAGE}`,
    ) as string,
  });
});
