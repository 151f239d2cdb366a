import { compareVersions, imageKey } from '../../domain/image.ts';
import { startCommand } from '../give.ts';
import type { Facts } from './facts.ts';
import type { NewerVersion } from './types.ts';

/** More would be history. */
const MOST_NEWER = 3;

/** Versions that somebody may have meant: newer than the one that is told of, the newest first. */
export function newerVersions({ target, offers, scaleSet, called, releases }: Facts): NewerVersion[] {
  const { region } = scaleSet;
  const isOwn = imageKey(target.image) === imageKey(scaleSet.imageReference.image);
  const all = [...new Set([...offers.values()].flat().map(({ version }) => version))]
    .filter((version) => compareVersions(version, target.version) > 0)
    .toSorted((a, b) => compareVersions(b, a));
  return all.slice(0, MOST_NEWER).map((version) => {
    const own = (offers.get(region) ?? []).find((offer) => offer.version === version);
    const ask = isOwn ? `rollouts explain ${called} --version ${version}` : null;
    if (own === undefined)
      return { version, message: `${version} is newer, and not offered in ${region}.`, command: ask };
    if (own.excludedFromLatest)
      return { version, message: `${version} is newer, and kept out of latest in ${region}.`, command: ask };
    if (releases.some((release) => release.version === version))
      return { version, message: `${version} is newer, and released in ${region}.`, command: ask };
    const message = `${version} is newer, and no rollout of it goes to ${region}.`;
    return { version, message, command: startCommand({ image: target.image, version }) };
  });
}
