import { MINUTE, type Instant, type VirtualClock } from '../domain/clock.ts';
import { imageKey, latestVersion, sameImageVersion, type Image, type ImageVersion } from '../domain/image.ts';
import { planPhases, type PhasePlan } from '../domain/phases.ts';
import { IMAGE_WATCH, pickUp, type OpenRollout, type RegionBehind } from '../domain/pick-up.ts';
import { DEFAULT_SETTINGS, type RolloutSettings } from '../domain/policy.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import { ALL } from '../domain/scopes.ts';
import type { ImageOffer } from '../fleet/port.ts';
import { AlreadyRecordedError } from '../ledger/errors.ts';
import type { HeldVersion, NewRollout, Rollout } from '../ledger/port.ts';
import { imageRolloutId } from '../workflows/ids.ts';
import { currentTime, type ActivityDependencies } from './context.ts';
import { eligibilityOf } from './eligibility.ts';
import { unlessUnanswered } from './fleet-failures.ts';
import { wishesOf } from './goal.ts';
import { whileBeating } from './heartbeats.ts';
import { supersede } from './supersede.ts';
import { triedBefore } from './tried-before.ts';
import { unendedRollouts } from './workflows-in-scope.ts';

/** A person's start records a rollout a moment before its workflow begins: one that is this old has been left behind. */
const LEFT_BEHIND_AFTER = 5 * MINUTE;

/** Sets that are read at once. */
const READ_AT_ONCE = 20;

/** What a look at all images has found due. */
export interface ImagesLook {
  clock: VirtualClock;
  /** Rollouts that are recorded, and that no workflow acts for. */
  start: Pick<Rollout, 'id' | 'kind' | 'target' | 'phases' | 'settings' | 'startedBy'>[];
}

/**
 * Looks at the images that the fleet uses and records the rollouts that are due, once each: of new versions, of replicated ones,
 * and for sets that were left behind (rules D5 to D7, D9). Newer versions supersede the rollouts in their way.
 */
export async function lookAtImages(
  deps: ActivityDependencies,
  input: { at: Instant; settings?: Partial<RolloutSettings> },
): Promise<ImagesLook> {
  return whileBeating(deps, 'images', async () => {
    const at = await currentTime(deps, input.at);
    const order = await deps.ledger.orders.inForce([ALL]);
    if (order === null || order.state === 'running')
      await recordDue(deps, { ...DEFAULT_SETTINGS, ...input.settings }, at);
    return { clock: await deps.fleet.clock(), start: await unattended(deps, at) };
  });
}

async function recordDue(deps: ActivityDependencies, settings: RolloutSettings, at: Instant): Promise<void> {
  const { fleet, ledger } = deps;
  const [sets, open, held] = await Promise.all([
    fleet.scaleSets(),
    unendedRollouts(ledger),
    ledger.heldVersions.list({ scaleSetId: null }),
  ]);
  for (const group of byImage(sets)) await recordDueOf(deps, group, { open, held, settings, at });
}

interface ImageGroup {
  image: Image;
  sets: ScaleSet[];
}

/** The sets that want automatic upgrades, by the image that they use. */
function byImage(sets: readonly ScaleSet[]): ImageGroup[] {
  const groups = new Map<string, ImageGroup>();
  for (const set of sets) {
    if (set.automaticUpgradesSince === null) continue;
    const { image } = set.imageReference;
    const group = groups.get(imageKey(image));
    if (group) group.sets.push(set);
    else groups.set(imageKey(image), { image, sets: [set] });
  }
  return [...groups.values()];
}

interface Standing {
  open: readonly Rollout[];
  held: readonly HeldVersion[];
  settings: RolloutSettings;
  at: Instant;
}

async function recordDueOf(deps: ActivityDependencies, group: ImageGroup, standing: Standing): Promise<void> {
  const { image } = group;
  const mine = standing.open.filter(
    ({ kind, target }) => kind !== 'manual' && imageKey(target.image) === imageKey(image),
  );
  // While a version is taken back nothing new comes.
  if (mine.some(({ action }) => action !== 'osUpgrade')) return;
  const open = mine.map(({ id, target, phases }): OpenRollout => ({
    rolloutId: id,
    version: target.version,
    regions: phases.flatMap((phase) => phase.regions),
  }));
  const behind = await regionsBehind(deps, group, open, standing);
  const { starts, supersedes } = pickUp(image.kind, behind, open);
  for (const one of supersedes) await supersede(deps, one, IMAGE_WATCH, standing.at);
  for (const { version, regions } of starts) await record(deps, { image, version }, regions, standing);
}

/** By region the newest version that counts there, where any set is behind it. Regions in which nothing can be due are not read. */
async function regionsBehind(
  deps: ActivityDependencies,
  { image, sets }: ImageGroup,
  open: readonly OpenRollout[],
  { held, settings, at }: Standing,
): Promise<RegionBehind[]> {
  const behind: RegionBehind[] = [];
  for (const region of new Set(sets.map((set) => set.region))) {
    const offers = await deps.fleet.imageOffers(image, region, at);
    const version = newestOf(image, offers, held);
    if (version === undefined) continue;
    const wouldStart = pickUp(image.kind, [{ region, version, instances: 1 }], open).starts.length > 0;
    if (!wouldStart) continue;
    const here = sets.filter((set) => set.region === region);
    const instances = await instancesBehind(deps, here, { image, version, offers, settings, at });
    if (instances > 0) behind.push({ region, version, instances });
  }
  return behind;
}

function newestOf(
  image: Image,
  offers: readonly ImageOffer[],
  held: readonly HeldVersion[],
): string | undefined {
  const counts = offers.filter(
    ({ version, excludedFromLatest }) =>
      !excludedFromLatest && !held.some((one) => sameImageVersion(one.version, { image, version })),
  );
  return latestVersion(counts.map(({ version }) => version));
}

/** What counts in a region, with what it offers. */
interface Offered extends ImageVersion, Pick<Standing, 'settings' | 'at'> {
  offers: readonly ImageOffer[];
}

/** Instances of the sets that are due, those of a set counted all: phases are planned by them. */
async function instancesBehind(
  deps: ActivityDependencies,
  sets: readonly ScaleSet[],
  what: Offered,
): Promise<number> {
  let count = 0;
  for (let i = 0; i < sets.length; i += READ_AT_ONCE) {
    const sizes = sets.slice(i, i + READ_AT_ONCE).map((set) =>
      // The next look reads one again that the cloud's API does not answer for.
      unlessUnanswered(() => sizeIfBehind(deps, set, what)),
    );
    for (const size of await Promise.all(sizes)) count += size ?? 0;
  }
  return count;
}

async function sizeIfBehind(
  deps: ActivityDependencies,
  scaleSet: ScaleSet,
  { image, version, offers, settings, at }: Offered,
): Promise<number> {
  const rollout = {
    kind: image.kind,
    action: 'osUpgrade' as const,
    target: { image, version },
    parameters: {},
    settings,
  };
  const { wishes, of } = await wishesOf(deps, rollout, scaleSet, at);
  const due = wishes.filter(({ why }) => why === null);
  if (due.length === 0) return 0;
  const judged = await eligibilityOf(deps, scaleSet, rollout.target, at, { automatic: true, offers });
  if (!judged.eligible || (await triedBefore(deps, rollout, scaleSet, due, at))) return 0;
  return of;
}

async function record(
  { fleet, ledger }: ActivityDependencies,
  target: ImageVersion,
  behind: readonly RegionBehind[],
  { settings, at }: Standing,
): Promise<void> {
  const { image } = target;
  const generation = (await ledger.rollouts.lastGeneration(target)) + 1;
  const loads = behind.map(({ region, instances }) => ({ name: region, eligibleInstances: instances }));
  const names = loads.map(({ name }) => name).toSorted();
  const phases: PhasePlan[] =
    image.kind === 'gallery'
      ? [{ name: 'all regions', regions: names }]
      : planPhases({ regions: loads, allRegions: await fleet.regions() });
  const rollout: NewRollout = {
    id: imageRolloutId(target, generation),
    kind: image.kind,
    target,
    generation,
    phases,
    settings,
    startedBy: IMAGE_WATCH,
    why: generation === 1 ? 'a new version' : 'scale sets that were left behind',
    startedAt: at,
  };
  try {
    await ledger.rollouts.create(rollout);
  } catch (error) {
    // Another look was a moment faster, or a person.
    if (!(error instanceof AlreadyRecordedError)) throw error;
  }
}

/** Rollouts over the fleet that have not ended and that no workflow acts for: just recorded, or left behind by whoever did. */
async function unattended(
  { ledger, workflows }: ActivityDependencies,
  at: Instant,
): Promise<ImagesLook['start']> {
  const found: ImagesLook['start'] = [];
  for (const rollout of await unendedRollouts(ledger)) {
    const { id, kind, target, phases, settings, startedBy, startedAt } = rollout;
    const isFresh = startedBy !== IMAGE_WATCH && at - startedAt < LEFT_BEHIND_AFTER;
    if (kind === 'manual' || isFresh || (await workflows.isOpen(id))) continue;
    found.push({ id, kind, target, phases, settings, startedBy });
  }
  return found;
}
