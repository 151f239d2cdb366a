import type { Instant } from '../../domain/clock.ts';
import { imageLabel } from '../../domain/image.ts';
import { scaleSetKey } from '../../domain/scale-set.ts';
import type { ClientContext } from '../context.ts';
import { findScaleSet } from '../find.ts';

/** A version that was reverted on a set and is held back from it. */
export interface HeldBack {
  scaleSetId: string;
  name: string;
  region: string;
  image: string;
  version: string;
  /** Who reverted it, why and when. */
  who: string;
  why: string;
  since: Instant;
}

/**
 * What is held back, longest first: on one set, or on all that there are.
 * @throws UsageError when there is no such set
 */
export async function listHeld(context: ClientContext, id?: string): Promise<HeldBack[]> {
  const { fleet, ledger } = context;
  const sets = id === undefined ? await fleet.scaleSets() : [await findScaleSet(context, id)];
  const byKey = new Map(sets.map((set) => [scaleSetKey(set.id), set]));
  const [only] = id === undefined ? [] : sets;
  const held = await ledger.heldVersions.list(only && { scaleSetId: only.id });
  return held.flatMap(({ scaleSetId, version: { image, version }, who, why, since }) => {
    const set = byKey.get(scaleSetKey(scaleSetId));
    if (set === undefined) return [];
    const { name, region } = set;
    return [{ scaleSetId, name, region, image: imageLabel(image), version, who, why, since }];
  });
}
