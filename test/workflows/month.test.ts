import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { auditJournal } from '../../src/audit/index.ts';
import { ruleScope } from '../../src/domain/calendar.ts';
import { DAY, HOUR, MINUTE, isoTime, type Instant } from '../../src/domain/clock.ts';
import { imageKey } from '../../src/domain/image.ts';
import { WEEKDAYS } from '../../src/domain/maintenance-window.ts';
import { geoPairs } from '../../src/domain/region.ts';
import { AZURE_REGIONS } from '../../src/fleet/index.ts';
import type { RecordedEntry } from '../../src/ledger/port.ts';
import { TASK_QUEUE } from '../../src/workflows/messages.ts';
import type { TestSet } from '../support/fleet.ts';
import { endWorlds, rolloutWorld, type RolloutWorld } from '../support/rollout.ts';
import { SkippedTime } from '../support/skipped-time.ts';
import { bundleWorkflows, timeSkippingEnvironment } from '../support/temporal.ts';
import type { MonthInput } from './support/month.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await timeSkippingEnvironment();
});
afterEach(endWorlds);
afterAll(() => env.teardown());

const canonical = (offer: string, sku: string) => ({ publisher: 'Canonical', offer, sku });
const windows = { publisher: 'MicrosoftWindowsServer', offer: 'WindowsServer', sku: '2022-Datacenter' };
const GALLERY = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/own/images/web';

/** Four images, each with a version that is installed and those that come in the month, by the day. */
const IMAGES: {
  image: { publisher: string; offer: string; sku: string } | { id: string };
  os: TestSet['os'];
  days: number[];
}[] = [
  { image: canonical('0001-com-ubuntu-server-jammy', '22_04-lts'), os: 'Linux', days: [1, 16] },
  { image: canonical('0001-com-ubuntu-server-focal', '20_04-lts'), os: 'Linux', days: [2] },
  { image: windows, os: 'Windows', days: [9] },
  { image: { id: GALLERY }, os: 'Linux', days: [2, 20] },
];

const REGIONS = 30;
const INSTALLED = '1.0.0';
const EVERY = 12 * HOUR;
/** A gallery's version comes to one region after the other. */
const REPLICATION = HOUR;

const versionOf = (index: number) => `1.${index + 1}.0`;
const EPOCH = Date.parse('2026-01-01T00:00:00Z');
const publishedAt = (day: number): Instant => EPOCH + day * DAY + 7 * HOUR;
const replicatedAt = (day: number, region: number): Instant => publishedAt(day) + region * REPLICATION;

/** Regions in which all four images are used, geo-pairs among them. */
const regions = AZURE_REGIONS.filter(({ pairedRegion }) => pairedRegion !== null)
  .slice(0, REGIONS)
  .map(({ name, availabilityZones }) => ({ name, zones: availabilityZones }));

/** A set of each image in every region, of one to three VMs, over the region's zones where there are any. */
const sets: TestSet[] = regions.flatMap(({ name: region, zones }, r) =>
  IMAGES.map(({ image, os }, i) => ({
    name: `set-${i}-${region}`,
    region,
    zones: (r + i) % 2 === 0 ? zones : [],
    capacity: 1 + ((r + i) % 3),
    os,
    image,
    version: INSTALLED,
  })),
);

const spec = {
  epochVirtual: isoTime(EPOCH),
  images: IMAGES.flatMap(({ image, days }) => {
    if ('id' in image) return [];
    const coming = days.map((day, i) => ({ version: versionOf(i), publishedAt: isoTime(publishedAt(day)) }));
    return [{ ...image, versions: [{ version: INSTALLED }, ...coming] }];
  }),
  galleries: IMAGES.flatMap(({ image, days }) => {
    if (!('id' in image)) return [];
    const coming = days.map((day, i) => ({
      version: versionOf(i),
      publishedAt: isoTime(publishedAt(day)),
      targetRegions: regions.map(({ name }, r) => ({ name, replicatedAt: isoTime(replicatedAt(day, r)) })),
    }));
    const installed = { version: INSTALLED, targetRegions: regions.map(({ name }) => ({ name })) };
    return [{ ...image, versions: [installed, ...coming] }];
  }),
};

/** Regions in which batches may begin at night alone, by their own clocks; and days on which none may, in the middle of a rollout. */
const NIGHTS = [
  [regions[0]?.name, 'America/New_York'],
  [regions[9]?.name, 'Europe/Berlin'],
  [regions[20]?.name, 'Asia/Kolkata'],
] as const;
const FREEZE = { from: publishedAt(16) + 5 * HOUR, until: publishedAt(16) + 40 * HOUR };

async function layDown({ ledger }: RolloutWorld): Promise<void> {
  const said = { who: 'ann', why: 'the month', at: EPOCH };
  for (const [region = '', zone] of NIGHTS) {
    const window = { days: [...WEEKDAYS], start: '22:00', zone, length: { end: '04:00' } };
    await ledger.calendar.add({
      kind: 'window',
      window,
      scope: ruleScope({ kind: 'region', region }),
      ...said,
    });
  }
  await ledger.calendar.add({ kind: 'freeze', ...FREEZE, scope: ruleScope({ kind: 'all' }), ...said });
}

it('a month of four images over 30 regions, picked up by themselves', { timeout: 600_000 }, async () => {
  const workflowBundle = await bundleWorkflows(new URL('./support/month.ts', import.meta.url).pathname);
  const world = await rolloutWorld(env, sets, { ...spec, workerOptions: { workflowBundle } });
  const input: MonthInput = { clock: world.clock, until: EPOCH + 30 * DAY, every: EVERY };
  await layDown(world);
  // What a look starts outlives the look, of which the server loses count: see `SkippedTime`.
  const time = new SkippedTime(env, world.worker, world.clock, EPOCH);
  await world.worker.runUntil(async () => {
    const options = { workflowId: 'month', taskQueue: TASK_QUEUE, args: [input] };
    const root = await env.client.workflow.start('month', options);
    await time.passUntil(input.until);
    await root.result();
  });

  const rollouts = await world.ledger.rollouts.list();
  expect(rollouts.map(({ status, startedBy }) => `${status} ${startedBy}`)).toEqual(
    rollouts.map(() => 'Completed imageWatch'),
  );
  const brought = rollouts.map(({ kind, target }) => `${kind} ${imageKey(target.image)} ${target.version}`);
  // A platform version goes out once over all regions, a gallery's as often as it has come to further ones.
  const platform = brought.filter((one) => one.startsWith('platform'));
  expect(new Set(platform).size).toBe(platform.length);
  expect(new Set(brought).size).toBe(IMAGES.reduce((sum, { days }) => sum + days.length, 0));
  await expectAllOnNewest(world);
  const journal = await world.ledger.journal.read({});
  const audit = auditJournal(journal, geoPairs(await world.fleet.regions()));
  expect(audit.violations).toEqual([]);
  expect(audit.counts.attempts).toBe(IMAGES.reduce((sum, { days }) => sum + days.length, 0) * REGIONS);
  // Windows and freezes have been in the way of some, and in time of all.
  expect(audit.checks.find(({ rule }) => rule === 'D10')?.cases).toBeGreaterThan(0);
  expectFreeze(journal);
  expectDelays(journal);
  expectPairsApart(journal);
});

const imageOf = (scaleSetId: string) => IMAGES[Number(/\/set-(\d)-/.exec(scaleSetId)?.[1])];

function isOfGallery(scaleSetId: string): boolean {
  const image = imageOf(scaleSetId)?.image;
  return image !== undefined && 'id' in image;
}

async function expectAllOnNewest({ fleet }: RolloutWorld): Promise<void> {
  for (const set of await fleet.scaleSets()) {
    const newest = versionOf((imageOf(set.id)?.days.length ?? 0) - 1);
    const versions = (await fleet.instances(set.id, EPOCH + 30 * DAY)).map(
      ({ osDisk }) => osDisk?.source.version,
    );
    expect(new Set(versions), set.id).toEqual(new Set([newest]));
  }
}

/** Rule D10, by other means than the audit's. */
function expectFreeze(journal: readonly RecordedEntry[]): void {
  const begun = journal.filter(({ operation, event }) => operation === 'batch' && event === 'started');
  expect(begun.filter(({ at }) => at >= FREEZE.from && at < FREEZE.until)).toEqual([]);
  const others = begun.filter(({ at }) => at > publishedAt(16) && at < publishedAt(20));
  expect(others.length).toBeGreaterThan(0);
}

/** Rule D6: no set is begun sooner than half an hour after its version came, whoever saw that when. */
function expectDelays(journal: readonly RecordedEntry[]): void {
  const begun = journal.filter(({ operation, event }) => operation === 'attempt' && event === 'started');
  expect(begun.length).toBeGreaterThan(0);
  for (const { at, scaleSetId, toVersion, region } of begun) {
    const day = imageOf(scaleSetId)?.days.find((_, i) => versionOf(i) === toVersion) ?? 0;
    const there = isOfGallery(scaleSetId) ? regions.findIndex(({ name }) => name === region) : 0;
    expect(at - replicatedAt(day, there), scaleSetId).toBeGreaterThanOrEqual(30 * MINUTE);
  }
}

/** Rule D1, once more and by other means than the audit's: disks of a pair's two regions are never replaced at one time. */
function expectPairsApart(journal: readonly RecordedEntry[]): void {
  const spans = new Map<string, [from: Instant, to: Instant][]>();
  const open = new Map<string, Instant>();
  for (const { operation, event, at, region, scaleSetId, attemptId, detail } of journal) {
    // A gallery's rollouts are not bound by pairs (rule D5).
    if (operation !== 'batch' || isOfGallery(scaleSetId)) continue;
    const key = `${attemptId} ${detail}`;
    if (event === 'started') open.set(key, at);
    else spans.set(region, [...(spans.get(region) ?? []), [open.get(key) ?? at, at]]);
  }
  for (const { name, pairedRegion } of AZURE_REGIONS) {
    for (const [from, to] of spans.get(name) ?? []) {
      const inPair = (spans.get(pairedRegion ?? '') ?? []).filter(([start, end]) => start < to && from < end);
      expect(inPair, `${name} and ${pairedRegion} at ${isoTime(from)}`).toEqual([]);
    }
  }
}
