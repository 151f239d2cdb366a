import { join } from 'node:path';

/** Everything that the tests leave behind, for whoever looks into a failure: databases and logs by case. */
export const SURVIVAL_FOLDER = join(import.meta.dirname, '../../../var/survival');
export const BUILD_FOLDER = join(SURVIVAL_FOLDER, 'build');
export const CASES_FOLDER = join(SURVIVAL_FOLDER, 'cases');
/** A file for each case: what it did, and what that has proved. */
export const RESULTS_FOLDER = join(SURVIVAL_FOLDER, 'results');
/** The last run as data. */
export const REPORT_FILE = join(SURVIVAL_FOLDER, '../survival.json');
