import type { Migration } from 'kysely';

/** The simulated fleet. */
export function fleetMigration(): Migration {
  return {
    async up() {},
  };
}
