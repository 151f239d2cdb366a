import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApiServer } from '../../src/arm/server.ts';
import { openRollouts, type OpenRollouts } from '../../src/client/cli/open-rollouts.ts';
import { startProcess, type ManagedProcess } from '../../src/demo/managed-process.ts';
import { connectClient, loadConnection } from '../../src/temporal/connection.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { IMAGE, run } from '../cli/support.ts';
import {
  CANARIES,
  canariesIn,
  canariesInDatabase,
  canariesInFiles,
  EXPIRED,
  FAULTY,
  fetching,
  RENEWED,
  RESOURCES,
  secretSet,
  SETUP,
} from '../support/canaries.ts';
import { fleetSpecOf, NEW_VERSION, testSetId } from '../support/fleet.ts';
import { everythingIn, recordedRuns } from '../support/recorded-bytes.ts';
import { openSink, type Sink } from '../support/sink.ts';
import { devServerEnvironment, type DevServerEnvironment } from '../support/temporal.ts';

/* A rollout over a fleet full of secrets, in which much goes wrong; then every byte that was recorded or told is searched. */

const folder = mkdtempSync(join(tmpdir(), 'rollouts-secrets-'));
const databaseUrl = `file:${join(folder, 'fleet.db')}`;
/** What must hold no secret as a whole: the server's database and the logs of processes. */
const recorded = mkdtempSync(join(tmpdir(), 'rollouts-secrets-recorded-'));

let server: DevServerEnvironment;
let worker: ManagedProcess;
let rollouts: OpenRollouts;
let env: NodeJS.ProcessEnv;
/** Somebody who is told of everything. */
let sink: Sink;

beforeAll(async () => {
  server = await devServerEnvironment({ dbFile: join(recorded, 'temporal.db') });
  env = { ...process.env, DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: server.address, LOG_LEVEL: 'debug' };
  env['WATCHER_SECRET'] = `whsec_${CANARIES.watcherSecret}`;
  // At first it does not accept anything, which is told of as well.
  sink = await openSink((response, number) => response.writeHead(number === 1 ? 500 : 204).end());
  rollouts = await openRollouts({ databaseUrl, temporal: () => connectClient(loadConnection(env)) });
  worker = await startProcess({
    name: 'worker',
    args: ['--import', 'tsx', 'src/worker.ts'],
    env,
    logFile: join(recorded, 'worker.log'),
    outlives: false,
    readiness: (log) => (log.includes('worker ready') ? 'ready' : null),
  });
});

afterAll(async () => {
  await worker?.stop();
  await sink?.close();
  await rollouts?.close();
  await server?.stop();
  await Promise.all([folder, recorded].map((path) => rm(path, { recursive: true, force: true })));
});

const SETS = [
  secretSet('web', 'eastus', fetching(SETUP, CANARIES.token)),
  secretSet('restored', 'eastus', 'sh app.sh'),
  secretSet('failing', 'westus', `sh app.sh --from ${SETUP}`),
  secretSet('expired', 'westus', fetching(EXPIRED, CANARIES.commandToken)),
  secretSet('refused', 'westus', fetching(SETUP, CANARIES.refusedToken)),
  secretSet('cut-off', 'westus', `wget "${FAULTY}"`),
];

const FLEET = fleetSpecOf(SETS, {
  speed: 1200,
  externalResources: RESOURCES,
  faults: [
    { kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'restored' },
    { kind: 'extensionFails', extension: 'setup', version: NEW_VERSION, scaleSet: 'failing' },
    { kind: 'resourceGone', url: FAULTY, at: '2026-01-05T10:20:00Z' },
    { kind: 'apiError', operation: 'extension.run', times: 2, effect: 'before' },
  ],
});

/** What commands and the API have answered, by what was asked. */
const answers: Record<string, string> = {};

/** Runs a command twice, for people and for programs. */
async function tell(...args: string[]): Promise<void> {
  const temporal = { connect: () => connectClient(loadConnection(env)) };
  for (const output of ['text', 'json']) {
    const { stdout, stderr } = await run([...args, '--output', output], { databaseUrl }, { temporal });
    answers[`${args.slice(0, 3).join(' ')} (${output})`] = stdout + stderr;
  }
}

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(content));
  return path;
}

const leaksIn = (texts: Record<string, string>) =>
  Object.entries(texts).flatMap(([where, text]) => canariesIn(text).map((name) => `${where}: ${name}`));

async function changeModels(): Promise<void> {
  const password = 'virtualMachineProfile.osProfile.adminPassword';
  const extensions = 'virtualMachineProfile.extensionProfile.extensions';
  await tell('model', 'set', 'web', `${password}=${CANARIES.patched}`);
  await tell(
    'model',
    'set',
    'web',
    `${extensions}[name=setup].protectedSettings={"key":"${CANARIES.misspelt}`,
  );
  await tell('model', 'set', 'web', `${extensions}[name=setup].protectedSettings=["${CANARIES.misspelt}"]`);
  await tell('model', 'set', 'web', `=${CANARIES.misspelt}`);
  await tell('model', 'set', 'web', '--file', await file('patch.json', { [password]: CANARIES.misspelt }));
  await tell('fleet', 'renew', RENEWED, '--until', '2025-01-01');
  await tell('fleet', 'renew', RENEWED);
  await tell('fleet', 'renew', `https://elsewhere.example/x?sig=${CANARIES.misspelt}`);
}

async function askEverything(rolloutId: string): Promise<void> {
  for (const { name } of SETS) {
    await tell('explain', name);
    await tell('history', name, '--all');
    await tell('model', 'show', name);
  }
  await tell('fleet', 'show', '--instances');
  await tell('fleet', 'resources');
  await tell('fleet', 'images');
  await tell('status', rolloutId);
  await tell('list');
  await tell('journal');
  await tell('audit', rolloutId);
  await tell('plan', IMAGE);
  await tell('rehearse', IMAGE);
  await tell('held');
}

/** All that the API answers and logs of the sets. */
async function askApi(): Promise<void> {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const { fleet, ledger } = rollouts;
  const metrics = createMetrics({ statistics: ledger.statistics, fleet, probes: {}, log });
  const api = createApiServer({ fleet, ledger, probes: {}, metrics, log });
  for (const { name } of SETS) {
    for (const what of ['osUpgradeHistory', 'rollingUpgrades/latest']) {
      const answer = await api.inject(
        `${testSetId(name)}/${what}?api-version=2024-11-01&sig=${CANARIES.token}`,
      );
      answers[`API ${name} ${what}`] = answer.body + JSON.stringify(answer.headers);
    }
  }
  answers['API metrics'] = (await api.inject('/metrics')).body;
  answers['API log'] = lines.join('');
  await api.close();
}

it('no secret of a fleet gets anywhere but into the models that it is in', async () => {
  await rollouts.fleet.seed(FLEET);
  await tell(
    'fleet',
    'seed',
    await file('wrong.json', { ...FLEET, faults: [{ kind: 'gone', url: FAULTY }] }),
  );
  const hook = `${sink.url}?token=${CANARIES.watcherToken}`;
  await tell('watchers', 'add', hook, '--name', 'ops', '--secret', 'env:WATCHER_SECRET');
  await tell('watchers', 'add', hook, '--name', 'wrong', '--secret', `whsec_${CANARIES.watcherSecret}`);
  const settings = [
    '--tolerance',
    '100',
    '--bake',
    '1m',
    '--trigger-delay',
    '0s..1m',
    '--first-trigger-delay',
    '1m',
  ];
  await tell('start', IMAGE, ...settings);
  const [rollout] = await rollouts.ledger.rollouts.list();
  const rolloutId = rollout?.id ?? 'none';
  await tell('watch', rolloutId);
  await changeModels();
  await askEverything(rolloutId);
  await askApi();
  await tell('watchers', 'list');
  await tell('watchers', 'retry', 'ops');
  await tell('watchers', 'test', 'ops');
  answers['calls of watchers'] = JSON.stringify(sink.calls);
  expect(sink.events().map(({ type }) => type)).toContain('dev.rollouts.scaleset.restored');
  const runs = await recordedRuns(server.client);
  expect(runs.length).toBeGreaterThan(8);
  expect(leaksIn({ ...answers, histories: everythingIn(runs) })).toEqual([]);
  expect(await canariesInDatabase(rollouts.database)).toEqual({});
  await worker.stop();
  await server.stop();
  expect((await readFile(join(recorded, 'worker.log'), 'utf8')).length).toBeGreaterThan(200);
  expect(await canariesInFiles(recorded)).toEqual({});
});
