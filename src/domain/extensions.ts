import type { Extension, ScaleSet } from './scale-set.ts';

/** True for the extension that reports an application's health from inside a VM, for Linux or Windows (rule C4). */
export function isApplicationHealthExtension({
  publisher,
  type,
}: Pick<Extension, 'publisher' | 'type'>): boolean {
  return (
    publisher.toLowerCase() === 'microsoft.managedservices' &&
    /^applicationhealth(linux|windows)$/i.test(type)
  );
}

/** True for the extension that makes a VM a Service Fabric node (rule C5). */
export function isServiceFabricExtension({ publisher }: Pick<Extension, 'publisher'>): boolean {
  return publisher.toLowerCase() === 'microsoft.azure.servicefabric';
}

/** True for a scale set that is a node type of a Service Fabric cluster (rule C5). */
export function isServiceFabric({ extensions }: Pick<ScaleSet, 'extensions'>): boolean {
  return extensions.some(isServiceFabricExtension);
}
