import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Tables } from '../../database/tables.ts';
import type { Instant } from '../../domain/clock.ts';
import { dueAt, type InstanceState } from './state.ts';

/** What of an instance's row does not follow from its state. */
export type InstanceFrame = Omit<Selectable<Tables['instances']>, 'state' | 'version' | 'due_at'>;

export interface KnownInstance {
  readonly row: InstanceFrame;
  readonly state: InstanceState;
}

/** All instances of a set in the order of their ids. Nobody changes them: whatever changes is a new object. */
export interface KnownInstances {
  readonly tag: string;
  readonly instances: readonly KnownInstance[];
  /** When the next planned change of any of them is due. */
  readonly nextDue: Instant | null;
}

/** About 60 MB: more is not kept, however large the fleet. */
const MAX_INSTANCES = 20_000;

/**
 * The instances of the sets that this process had to do with last. Each change of a set's instances gives the set a tag that
 * no other change ever had; what is kept under the tag that the set has now is how its instances are, whoever else works on the
 * database. That also goes for a change that is rolled back: its tag is never seen again.
 */
export class InstanceCache {
  /** The one that was used last is the last. */
  readonly #sets = new Map<string, KnownInstances>();
  #size = 0;

  get(setKey: string, tag: string): KnownInstances | null {
    const known = this.#sets.get(setKey);
    if (known?.tag !== tag) return null;
    this.#sets.delete(setKey);
    this.#sets.set(setKey, known);
    return known;
  }

  put(setKey: string, tag: string, instances: readonly KnownInstance[]): void {
    this.#forget(setKey);
    if (instances.length > MAX_INSTANCES) return;
    this.#sets.set(setKey, { tag, instances, nextDue: nextDueOf(instances) });
    this.#size += instances.length;
    for (const oldest of this.#sets.keys()) {
      if (this.#size <= MAX_INSTANCES) break;
      this.#forget(oldest);
    }
  }

  #forget(setKey: string): void {
    this.#size -= this.#sets.get(setKey)?.instances.length ?? 0;
    this.#sets.delete(setKey);
  }
}

function nextDueOf(instances: readonly KnownInstance[]): Instant | null {
  const due = instances.flatMap(({ state }) => dueAt(state) ?? []);
  return due.length === 0 ? null : Math.min(...due);
}

/** A tag that no set has had. */
export function newTag(): string {
  return randomUUID();
}
