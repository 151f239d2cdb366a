import type { Instant } from '../../src/domain/clock.ts';
import type { Instance } from '../../src/domain/scale-set.ts';

/** When an instance's signal first said healthy after its configuration, or null. */
export function healthySince(instance: Pick<Instance, 'healthyStretches'> | undefined): Instant | null {
  return instance?.healthyStretches[0]?.from ?? null;
}
