import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.ts';
import type { ScaleSetSpec } from '../../src/fleet/index.ts';

/**
 * Secrets that are put wherever a fleet may hold some, each to be found out if it gets anywhere else. Signs that are written
 * otherwise within a URL are part of them.
 */
export const CANARIES = {
  token: 'canary+Token/of+fileUris==',
  commandToken: 'canary+Token/of+command==',
  renewedToken: 'canary+Token/renewed==',
  refusedToken: 'canary+Token/refused==',
  faultToken: 'canary+Token/of+fault==',
  userInfo: 'canary-password-in-url',
  protectedSetting: 'canary-protected-setting',
  accountKey: 'canary/storage+account+key==',
  adminPassword: 'canary-admin-Password!1',
  customData: 'canary-custom-data',
  unattend: 'canary-unattended-password',
  patched: 'canary-patched-password',
  misspelt: 'canary-misspelt-password',
  watcherSecret: Buffer.from('canary of the watcher secret').toString('base64'),
  watcherToken: 'canary-watcher-token',
} as const;

/** How a secret could stand somewhere: as it is, in a URL, in lower case, in base64 at any offset. */
function formsOf(secret: string): string[] {
  const asIs = [secret, encodeURIComponent(secret)];
  const inBase64 = [0, 1, 2].map((offset) => {
    const text = Buffer.from('x'.repeat(offset) + secret).toString('base64');
    // The signs at either end also tell of what stands beside the secret.
    return text.slice(offset === 0 ? 0 : 4).replace(/.{0,2}=*$/, '');
  });
  return [...asIs, ...asIs.map((form) => form.toLowerCase()), ...inBase64];
}

/** The names of the canaries that a text or a file holds, in whatever form. */
export function canariesIn(bytes: string | Buffer): string[] {
  const text = typeof bytes === 'string' ? bytes : bytes.toString('latin1');
  return Object.entries(CANARIES)
    .filter(([, secret]) => formsOf(secret).some((form) => text.includes(form)))
    .map(([name]) => name);
}

/** The same of every file in a folder, by the file's name. */
export async function canariesInFiles(folder: string): Promise<Record<string, string[]>> {
  const files = await readdir(folder);
  const found = files.map(async (file) => [file, canariesIn(await readFile(join(folder, file)))] as const);
  return Object.fromEntries((await Promise.all(found)).filter(([, names]) => names.length > 0));
}

/** What of a database holds secrets, because it is the fleet's or where a watcher is: `table.column`. */
const MAY_HOLD_SECRETS = new Set(['scale_sets.arm', 'watchers.url']);

/** The same of every column of a SQLite database but those. */
export async function canariesInDatabase({ db }: Database): Promise<Record<string, string[]>> {
  const tables = await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(db);
  const found: Record<string, string[]> = {};
  for (const { name: table } of tables.rows) {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)}`.execute(db);
    for (const column of Object.keys(rows[0] ?? {})) {
      const names = canariesIn(rows.map((row) => String(row[column])).join('\n'));
      const place = `${table}.${column}`;
      if (names.length > 0 && !MAY_HOLD_SECRETS.has(place)) found[place] = names;
    }
  }
  return found;
}

const signed = (place: string, token: string) => `${place}?sv=2025&sig=${encodeURIComponent(token)}`;

export const SETUP = 'https://store.example/setup.sh';
export const EXPIRED = 'https://store.example/expired.zip';

/** Resources whose tokens are secret; one of them expires in the middle. */
export const RESOURCES = [
  { url: signed(SETUP, CANARIES.token) },
  { url: signed(EXPIRED, CANARIES.commandToken), credentialExpiresAt: '2026-01-05T09:00:00Z' },
];
export const RENEWED = signed(EXPIRED, CANARIES.renewedToken);
export const FAULTY = signed('https://store.example/faulty.sh', CANARIES.faultToken);

const settings = {
  fileUris: [signed(SETUP, CANARIES.token), `https://bot:${CANARIES.userInfo}@git.example/app.git`],
  storageAccountKey: CANARIES.accountKey,
};

/** Beside an extension's settings, a scale set's model holds these. */
const secretModel = {
  properties: {
    virtualMachineProfile: {
      osProfile: {
        adminPassword: CANARIES.adminPassword,
        customData: Buffer.from(CANARIES.customData).toString('base64'),
        windowsConfiguration: {
          additionalUnattendContent: [
            { settingName: 'AutoLogon', content: `<Password>${CANARIES.unattend}</Password>` },
          ],
        },
      },
    },
  },
};

/** A set with every secret; `more` decides how it comes out. */
export function secretSet(name: string, region: string, command: string, more: Partial<ScaleSetSpec> = {}) {
  const extension = (extensionName: string, rest: object) => ({
    name: extensionName,
    properties: {
      publisher: 'Microsoft.Azure.Extensions',
      type: 'CustomScript',
      typeHandlerVersion: '2.1',
      ...rest,
    },
  });
  const extensions = [
    extension('setup', { settings, protectedSettings: { key: CANARIES.protectedSetting } }),
    extension('app', { settings: { commandToExecute: command } }),
  ];
  const { properties } = secretModel;
  const virtualMachineProfile = { ...properties.virtualMachineProfile, extensionProfile: { extensions } };
  return { name, region, capacity: 5, ...more, model: { properties: { virtualMachineProfile } } };
}

export const fetching = (place: string, token: string) =>
  `curl -fsS '${signed(place, token)}' -o app.zip && sh app.sh`;
