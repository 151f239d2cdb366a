import type { Extension, ScaleSet } from '../domain/scale-set.ts';

/** True for the Application Health extension, of Linux or Windows. */
export function isApplicationHealthExtension(extension: Pick<Extension, 'publisher' | 'type'>): boolean {
  return (
    extension.publisher.toLowerCase() === 'microsoft.managedservices' &&
    /^applicationhealth(linux|windows)$/i.test(extension.type)
  );
}

/** Where a set's application health comes from; `richExtension` tells more states than healthy and unhealthy. */
export function healthSignal(scaleSet: ScaleSet): 'probe' | 'extension' | 'richExtension' | null {
  if (scaleSet.healthProbeId !== null) return 'probe';
  const extension = scaleSet.extensions.find(isApplicationHealthExtension);
  if (extension === undefined) return null;
  return Number.parseInt(extension.typeHandlerVersion, 10) >= 2 ? 'richExtension' : 'extension';
}
