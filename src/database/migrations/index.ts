import type { Migration } from 'kysely';
import { journalMigration } from './001-journal.ts';
import { fleetMigration } from './002-fleet.ts';
import { ledgerMigration } from './003-ledger.ts';
import { attemptKindsMigration } from './004-attempt-kinds.ts';
import { instanceNumbersMigration } from './005-instance-numbers.ts';
import { attemptWarningsMigration } from './006-attempt-warnings.ts';
import { restoreErrorsMigration } from './007-restore-errors.ts';
import { instanceTagsMigration } from './008-instance-tags.ts';
import { statusTimesMigration } from './009-status-times.ts';
import { calendarMigration } from './011-calendar.ts';
import { watchersMigration } from './012-watchers.ts';

/** All migrations by name, in order of name. A released one is never edited: add the next number. */
export function migrations(dialect: 'sqlite' | 'postgres'): Record<string, Migration> {
  return {
    '001-journal': journalMigration(dialect),
    '002-fleet': fleetMigration(),
    '003-ledger': ledgerMigration(dialect),
    '004-attempt-kinds': attemptKindsMigration(),
    '005-instance-numbers': instanceNumbersMigration(),
    '006-attempt-warnings': attemptWarningsMigration(),
    '007-restore-errors': restoreErrorsMigration(),
    '008-instance-tags': instanceTagsMigration(),
    '009-status-times': statusTimesMigration(),
    '011-calendar': calendarMigration(dialect),
    '012-watchers': watchersMigration(dialect),
  };
}
