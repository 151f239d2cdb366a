import type { Database } from '../database/database.ts';
import { attemptsOn } from './attempts.ts';
import { calendarOn } from './calendar.ts';
import { claimsOn } from './claims.ts';
import { deliveriesOn } from './deliveries.ts';
import { heldVersionsOn } from './held-versions.ts';
import { journalOn } from './journal.ts';
import { ordersOn } from './orders.ts';
import { phasesOn } from './phases.ts';
import type { Ledger } from './port.ts';
import { quarantineOn } from './quarantine.ts';
import { rolloutsOn } from './rollouts.ts';
import { statisticsOn } from './statistics.ts';
import { targetsOn } from './targets.ts';
import { watchersOn } from './watchers.ts';

/**
 * The ledger on a database that is open, SQLite or PostgreSQL; any number of processes may share it.
 * Its methods throw `FencedError` and `NotRecordedError` (see `errors.ts`), and what the database throws.
 */
export function openLedger(database: Database): Ledger {
  return {
    rollouts: rolloutsOn(database),
    phases: phasesOn(database),
    targets: targetsOn(database),
    attempts: attemptsOn(database),
    claims: claimsOn(database),
    orders: ordersOn(database),
    calendar: calendarOn(database),
    journal: journalOn(database),
    quarantine: quarantineOn(database),
    heldVersions: heldVersionsOn(database),
    statistics: statisticsOn(database),
    watchers: watchersOn(database),
    deliveries: deliveriesOn(database),
  };
}
