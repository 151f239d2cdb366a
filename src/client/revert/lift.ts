import type { HeldVersion } from '../../ledger/port.ts';
import { currentInstant, type ClientContext } from '../context.ts';

/**
 * Lifts versions that are held back from a set, or from the whole fleet.
 * @param scaleSetId null for the whole fleet
 * @param lift who lifts them (with why, if it was said), and which ones: all if absent
 * @returns what was held back until now
 */
export async function liftHeld(
  context: ClientContext,
  scaleSetId: string | null,
  { by, only = () => true }: { by: string; only?: (held: HeldVersion) => boolean },
): Promise<HeldVersion[]> {
  const { heldVersions } = context.ledger;
  const lifted = (await heldVersions.list({ scaleSetId })).filter(only);
  const at = await currentInstant(context);
  for (const { version } of lifted) await heldVersions.lift(scaleSetId, version, at, by);
  return lifted;
}
