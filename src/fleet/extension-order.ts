import type { Extension } from '../domain/scale-set.ts';

/**
 * Extensions in an order in which each comes after those that it names in `provisionAfterExtensions`; otherwise as the
 * model lists them. Names that are not there are passed over (the model's check reports them).
 * @returns the order, or the names on a cycle, first one repeated: `['a', 'b', 'a']`
 */
export function extensionOrder(
  extensions: readonly Extension[],
): { order: Extension[] } | { cycle: string[] } {
  const byName = new Map(extensions.map((extension) => [extension.name.toLowerCase(), extension]));
  const order: Extension[] = [];
  const done = new Set<Extension>();

  const visit = (extension: Extension, path: Extension[]): string[] | null => {
    if (done.has(extension)) return null;
    const from = path.indexOf(extension);
    if (from >= 0) return [...path.slice(from), extension].map(({ name }) => name);
    for (const name of extension.provisionAfterExtensions) {
      const needed = byName.get(name.toLowerCase());
      const cycle = needed && visit(needed, [...path, extension]);
      if (cycle) return cycle;
    }
    done.add(extension);
    order.push(extension);
    return null;
  };

  for (const extension of extensions) {
    const cycle = visit(extension, []);
    if (cycle !== null) return { cycle };
  }
  return { order };
}
