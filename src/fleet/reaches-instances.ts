import type { UpgradePolicy } from '../domain/scale-set.ts';
import { isJsonObject, type Json } from './wire-shape.ts';

/**
 * True when a change of a set's model leaves its instances behind until the model is applied to them (rule B14): their profile,
 * size or plan differs. All else is the set's own: how many they are, tags, the upgrade policy. But in mode Manual instances are
 * behind a changed upgrade policy too, as in Azure: whoever switches automatic upgrades on there brings them to the model.
 * @param before the models in wire shape
 * @param mode the upgrade mode after the change
 */
export function reachesInstances(before: Json, after: Json, mode: UpgradePolicy['mode']): boolean {
  return ofInstances(before, mode) !== ofInstances(after, mode);
}

function ofInstances({ sku, plan, properties }: Json, mode: UpgradePolicy['mode']): string {
  const { capacity: _capacity, ...size } = isJsonObject(sku) ? sku : {};
  const { virtualMachineProfile, upgradePolicy } = isJsonObject(properties) ? properties : {};
  return textOf([size, plan, virtualMachineProfile, mode === 'Manual' ? upgradePolicy : null]);
}

/** The same text for the same content, whatever the order of keys. */
function textOf(content: unknown): string {
  return JSON.stringify(content, (_, value: unknown) =>
    isJsonObject(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
