import type { Instant } from '../../domain/clock.ts';
import { imageLabel } from '../../domain/image.ts';
import { scaleSetKey } from '../../domain/scale-set.ts';
import type { ClientContext } from '../context.ts';
import { findScaleSet } from '../find.ts';

/** A version that is held back from a set, since it was reverted there, or from the whole fleet (rule D7). */
export interface HeldBack {
  /** These three are null where it is held back from the whole fleet. */
  scaleSetId: string | null;
  name: string | null;
  region: string | null;
  image: string;
  version: string;
  /** Who holds it back, why and since when. */
  who: string;
  why: string;
  since: Instant;
}

/**
 * What is held back, longest first: from one set, or from all that there are and the whole fleet.
 * @throws UsageError when there is no such set
 */
export async function listHeld(context: ClientContext, id?: string): Promise<HeldBack[]> {
  const { fleet, ledger } = context;
  const sets = id === undefined ? await fleet.scaleSets() : [await findScaleSet(context, id)];
  const byKey = new Map(sets.map((set) => [scaleSetKey(set.id), set]));
  const [only] = id === undefined ? [] : sets;
  const held = await ledger.heldVersions.list(only && { scaleSetId: only.id });
  return held.flatMap(({ scaleSetId, version: { image, version }, who, why, since }): HeldBack[] => {
    const what = { image: imageLabel(image), version, who, why, since };
    if (scaleSetId === null) return [{ scaleSetId, name: null, region: null, ...what }];
    const set = byKey.get(scaleSetKey(scaleSetId));
    if (set === undefined) return [];
    const { name, region } = set;
    return [{ scaleSetId, name, region, ...what }];
  });
}
