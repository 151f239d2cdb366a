import { userInfo } from 'node:os';
import { virtualAt, type Instant } from '../domain/clock.ts';
import { LONGEST_REASON, problemOfText } from '../domain/plain-text.ts';
import type { Fleet } from '../fleet/port.ts';
import type { Ledger } from '../ledger/port.ts';
import type { ConnectedClient } from '../temporal/connection.ts';

/** What the functions of the client library work on. */
export interface ClientContext {
  fleet: Fleet;
  ledger: Ledger;
  /**
   * Connects at the first call; later ones share the connection.
   * @throws TemporalUnreachableError
   */
  temporal(): Promise<ConnectedClient>;
}

/** Virtual time now, by the fleet's clock. */
export async function currentInstant({ fleet }: Pick<ClientContext, 'fleet'>): Promise<Instant> {
  return virtualAt(await fleet.clock(), Date.now());
}

/** Who gives an order when nobody is named: the user at the terminal. */
export function currentUser(env: NodeJS.ProcessEnv = process.env): string {
  const named = env['USER'] ?? '';
  if (named !== '' && problemOfText(named, LONGEST_REASON) === null) return named;
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have no entry in the password file.
    return 'unknown';
  }
}
