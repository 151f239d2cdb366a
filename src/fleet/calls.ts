import type { Fleet } from './port.ts';

/** A call of the port. */
export type FleetCall = keyof Fleet;

/** Carries out a call, or not, or fails in its place. */
export type AroundCall = <T>(
  call: FleetCall,
  scaleSetId: string | null,
  work: () => Promise<T>,
) => Promise<T>;

/** The same fleet with something done around every call of its port. */
export function aroundCalls(fleet: Fleet, around: AroundCall): Fleet {
  return {
    clock: () => around('clock', null, () => fleet.clock()),
    regions: () => around('regions', null, () => fleet.regions()),
    timings: () => around('timings', null, () => fleet.timings()),
    scaleSets: (filter) => around('scaleSets', null, () => fleet.scaleSets(filter)),
    scaleSet: (id) => around('scaleSet', id, () => fleet.scaleSet(id)),
    instances: (id, at, ids) => around('instances', id, () => fleet.instances(id, at, ids)),
    surroundings: (set, at) => around('surroundings', set.id, () => fleet.surroundings(set, at)),
    imageOffers: (image, region, at) =>
      around('imageOffers', null, () => fleet.imageOffers(image, region, at)),
    fence: (id, fence) => around('fence', id, () => fleet.fence(id, fence)),
    operate: (request) => around('operate', request.scaleSetId, () => fleet.operate(request)),
    discardPreviousOsDisks: (id, ids, at) =>
      around('discardPreviousOsDisks', id, () => fleet.discardPreviousOsDisks(id, ids, at)),
  };
}
