/** Whether the worker dies at a call: before it, or after it was carried out. */
export type Loss = 'none' | 'before' | 'after';

/** A worker died: the server notices, and has another one do it again. */
export class LostError extends Error {
  override readonly name = 'LostError';

  constructor() {
    super('its worker died');
  }
}

/**
 * A store, at each of whose calls the worker can die.
 * @param name for `lose`: `ledger`, of which a call is `ledger.attempts.open`
 */
export function disturbed<T extends object>(store: T, name: string, lose: (call: string) => Loss): T {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      const path = `${name}.${String(key)}`;
      if (typeof value === 'object' && value !== null) return disturbed(value, path, lose);
      if (typeof value !== 'function') return value;
      return async (...given: unknown[]) => {
        const loss = lose(path);
        if (loss === 'before') throw new LostError();
        const answer: unknown = await (value as (...args: unknown[]) => unknown).apply(target, given);
        if (loss === 'after') throw new LostError();
        return answer;
      };
    },
  });
}
