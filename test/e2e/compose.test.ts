import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/temporal/ports.ts';
import { findTemporalCli } from '../../src/temporal/servers/index.ts';
import { findPostgres, startPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { devServerEnvironment, type DevServerEnvironment } from '../support/temporal.ts';
import { composeConfig, missingCompose, type ComposeConfig, type Service } from './compose-config.ts';
import { buildImage, OWN_IMAGE, readStages, ROOT } from './image.ts';
import { openSandbox } from './sandbox.ts';

const because = missingCompose === null ? '' : ` [skipped: ${missingCompose}]`;

describe.skipIf(missingCompose !== null)(`the containers' commands, as processes${because}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollouts-image-'));
  const started: ChildProcess[] = [];
  const data = join(folder, 'data');
  let sandbox: ReturnType<typeof openSandbox> = null;
  let image = '';
  let files: string[] = [];
  let temporal: DevServerEnvironment;
  let postgres: PostgresServer | null = null;
  let config: ComposeConfig;
  let addresses: Record<string, string>;

  beforeAll(async () => {
    config = composeConfig();
    image = buildImage(folder);
    files = filesOf(image);
    mkdirSync(data);
    sandbox = openSandbox(folder, data);
    temporal = await devServerEnvironment();
    postgres = findPostgres() === null ? null : await startPostgres();
    addresses = {
      TEMPORAL_ADDRESS: temporal.address,
      DATABASE_URL: postgres?.url ?? `file:${join(data, 'fleet.db')}`,
      HOST: '127.0.0.1',
      PORT: String(await freePort('127.0.0.1')),
    };
  });

  afterAll(async () => {
    for (const child of started) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.allSettled([temporal?.stop(), postgres?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /**
   * As the container would run it: in the image's folder, with nothing in the environment but the service's own; where that is possible
   * without rights and on a file system that is read-only but for `/data`.
   */
  function start(service: Service | undefined, command: readonly string[], own: Env = {}): ChildProcess {
    const [program = '', ...args] = sandbox?.(command) ?? command;
    const env = { PATH: process.env['PATH'], ...service?.environment, ...addresses, ...own };
    const child = spawn(program, args, { cwd: image, env, stdio: ['ignore', 'pipe', 'pipe'] });
    started.push(child);
    return child;
  }

  const runService = (name: string, own?: Env) => {
    const service = config.services[name];
    return start(service, [...(service?.entrypoint ?? []), ...(service?.command ?? [])], own);
  };

  const checkHealth = async (name: string, own?: Env) => {
    const service = config.services[name];
    const [kind, ...command] = service?.healthcheck?.test ?? [];
    expect(kind).toBe('CMD');
    return endOf(start(service, command, own));
  };

  it('is confined in its containers: without rights, on a file system that is read-only', () => {
    const own = Object.values(config.services).filter((service) => service.image === OWN_IMAGE);
    expect(own.length).toBeGreaterThan(2);
    for (const service of own) {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
      expect(service.privileged ?? false).toBe(false);
    }
    expect(
      readStages()
        .at(-1)
        ?.instructions.filter(({ name }) => name === 'USER'),
    ).toEqual([{ name: 'USER', args: 'node' }]);
  });

  it.runIf(process.getuid?.() === 0)('runs so here: as nobody, with nowhere to write but /data', async () => {
    expect(sandbox).not.toBeNull();
    const probe = `
      const { writeFileSync } = require('node:fs');
      const writes = (path) => { try { writeFileSync(path, ''); return 'written'; } catch ({ code }) { return code; } };
      console.log(process.getuid(), writes('dist/x'), writes('/tmp/x'), writes(process.argv[1]));`;
    const { output } = await endOf(start(undefined, ['node', '--eval', probe, join(data, 'x')]));
    expect(output).toBe('65534 EROFS EROFS written');
  });

  it('holds production dependencies only, and the bundle of the workflows', () => {
    expect(existsSync(join(image, 'dist/workflow-bundle.js'))).toBe(true);
    expect(existsSync(join(image, 'node_modules/fastify'))).toBe(true);
    for (const development of ['typescript', 'vitest', 'tsx', 'oxlint', '@temporalio/testing']) {
      expect(existsSync(join(image, 'node_modules', development))).toBe(false);
    }
  });

  it('runs the rollouts command', async () => {
    expect(await endOf(runService('rollouts'))).toMatchObject({
      code: 0,
      output: expect.stringContaining('rollouts') as string,
    });
  });

  it('finds a worker unhealthy that is not there', async () => {
    expect(await checkHealth('worker')).toMatchObject({ code: 1 });
  });

  it('creates the namespace, and leaves one alone that is there', async () => {
    const { entrypoint = [], environment } =
      config.services['temporal-namespace'] ?? ({} as Partial<Service>);
    const [shell = '', script = ''] = entrypoint;
    // Wherever it was found, and whatever it is called there.
    symlinkSync((await findTemporalCli()).path, join(folder, 'temporal'));
    const env = {
      ...environment,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: 'shop',
      PATH: `${folder}${delimiter}${process.env['PATH']}`,
    };
    const local = script.replace('/scripts', join(ROOT, 'docker/temporal'));
    const create = () => execFileSync(shell, [local], { env, encoding: 'utf8', timeout: 60_000 });
    expect(create()).toContain('Namespace shop successfully registered');
    expect(create()).toBe('Namespace shop is there.\n');
    const { config: created } = await temporal.connection.workflowService.describeNamespace({
      namespace: 'shop',
    });
    expect(Number(created?.workflowExecutionRetentionTtl?.seconds)).toBe(7 * 24 * 3600);
  });

  it('runs two workers and the API, started at once on an empty database, and stops them in peace', async () => {
    // Containers have a network of their own each; processes share this machine's.
    const ports = [{ METRICS_PORT: String(await freePort('127.0.0.1')) }, { METRICS_PORT: '0' }];
    const workers = ports.map((own) => runService('worker', { METRICS_HOST: '127.0.0.1', ...own }));
    const api = runService('api');
    await Promise.all([...workers.map((worker) => logged(worker, 'worker ready')), logged(api, 'api ready')]);

    const url = `http://127.0.0.1:${addresses['PORT']}`;
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz`);
    expect(await ready.json()).toEqual({ status: 'ready', checks: { database: 'ok', temporal: 'ok' } });
    expect(await checkHealth('api')).toMatchObject({ code: 0 });
    expect(await checkHealth('worker', ports[0])).toMatchObject({ code: 0 });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('rollouts_part_up{part="temporal"} 1');

    for (const child of [...workers, api]) child.kill('SIGTERM');
    const ends = await Promise.all([...workers, api].map((child) => endOf(child)));
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
  });

  it('wrote nothing into the image', () => {
    expect(filesOf(image)).toEqual(files);
  });
});

type Env = Record<string, string>;

interface End {
  code: number | null;
  output: string;
}

const outputs = new WeakMap<ChildProcess, string[]>();

/** All that a process has written, on either stream, as it writes it. */
function outputOf(child: ChildProcess): string[] {
  const known = outputs.get(child);
  if (known !== undefined) return known;
  const lines: string[] = [];
  outputs.set(child, lines);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  return lines;
}

/** Waits until the process logs the message; fails with its output when it ends first. */
async function logged(child: ChildProcess, message: string): Promise<void> {
  const lines = outputOf(child);
  while (!lines.some((line) => line.includes(`"msg":"${message}"`))) {
    if (child.exitCode !== null) throw new Error(`no "${message}" from:\n${lines.join('\n')}`);
    await delay(50);
  }
}

async function endOf(child: ChildProcess): Promise<End> {
  const lines = outputOf(child);
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => void child.once('close', resolve));
  }
  return { code: child.exitCode, output: lines.join('\n') };
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
}
