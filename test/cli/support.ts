import { PassThrough } from 'node:stream';
import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { openRollouts, type OpenRollouts } from '../../src/client/cli/open-rollouts.ts';
import { runCommand } from '../../src/client/cli/run.ts';
import type { ConnectedClient } from '../../src/temporal/connection.ts';
import { loadConnection, TemporalUnreachableError } from '../../src/temporal/connection.ts';
import { fleetSpecOf, type TestFleetOptions, type TestSet } from '../support/fleet.ts';

/** Two paired regions and one alone; a set that is not eligible. */
export const SETS: TestSet[] = [
  { name: 'web', region: 'eastus', zones: ['1', '2', '3'], capacity: 9 },
  { name: 'api', region: 'westus', capacity: 10 },
  { name: 'queue', region: 'swedencentral', capacity: 5 },
  { name: 'legacy', region: 'swedencentral', capacity: 3, automaticOSUpgrade: false },
];
export const IMAGE = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts';

/** A folder for a test's files and database. */
export interface Workspace {
  databaseUrl: string;
  /** Writes a file and answers with its path. */
  write(name: string, content: unknown): Promise<string>;
  remove(): Promise<void>;
}

export function workspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'rollouts-cli-'));
  return {
    databaseUrl: `file:${join(folder, 'fleet.db')}`,
    write: async (name, content) => {
      const path = join(folder, name);
      await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
      return path;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The client library on a test's fleet, with a Temporal of its own. */
export interface TestRollouts extends OpenRollouts {
  temporalServer: FakeTemporal;
}

export async function rolloutsOn(
  { databaseUrl }: Workspace,
  sets: readonly TestSet[] = SETS,
  spec: TestFleetOptions = {},
): Promise<TestRollouts> {
  const temporalServer = new FakeTemporal();
  const rollouts = await openRollouts({ databaseUrl, temporal: () => temporalServer.connect() });
  await rollouts.fleet.seed(fleetSpecOf(sets, spec));
  return { ...rollouts, temporalServer };
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command within this process. */
export async function run(
  args: readonly string[],
  { databaseUrl }: Pick<Workspace, 'databaseUrl'>,
  {
    temporal = new FakeTemporal(),
    signal = new AbortController().signal,
  }: { temporal?: Pick<FakeTemporal, 'connect'>; signal?: AbortSignal } = {},
): Promise<Ran> {
  const out = sink();
  const err = sink();
  const terminal = { stdout: out.stream, stderr: err.stream, untilInterrupted: () => signal };
  const code = await runCommand(args, terminal, { databaseUrl, temporal: () => temporal.connect() });
  return { code, stdout: out.text(), stderr: err.text() };
}

function sink() {
  const stream = new PassThrough() as unknown as NodeJS.WriteStream;
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { stream, text: () => text };
}

/** What of a Temporal server the command asks: workflows by id, as they were started. */
export class FakeTemporal {
  readonly workflows = new Map<string, { status: string; options: Record<string, unknown> }>();
  readonly signalled: string[] = [];
  /** When a worker last asked for work, by task queue. */
  readonly polled = new Map<string, number>();
  reachable = true;
  /** What happens just before the next workflow starts, once. */
  beforeStart: (() => Promise<unknown>) | undefined;
  /** Answers to `decide`. */
  onUpdate: (input: unknown) => unknown = () => undefined;

  connect(): Promise<ConnectedClient> {
    if (!this.reachable) {
      const settings = loadConnection({ TEMPORAL_ADDRESS: 'nowhere:1' });
      return Promise.reject(new TemporalUnreachableError(settings, new Error('refused')));
    }
    const operatorService = {
      listSearchAttributes: async () => ({
        customAttributes: {
          RolloutImage: 2,
          RolloutImageVersion: 2,
          RolloutScaleSet: 2,
          RolloutRegion: 2,
          RolloutPhase: 3,
          RolloutStatus: 2,
        },
      }),
    };
    const client = {
      options: { namespace: 'default' },
      withDeadline: (_deadline: number, work: () => unknown) => work(),
      workflowService: {
        describeTaskQueue: async ({ taskQueue: { name } }: { taskQueue: { name: string } }) => {
          const at = this.polled.get(name);
          return { pollers: at === undefined ? [] : [{ lastAccessTime: { seconds: at / 1000 } }] };
        },
      },
      workflow: {
        start: (type: string, options: Record<string, unknown>) => this.#start(type, options),
        getHandle: (id: string) => this.#handle(id),
      },
    } as unknown as Client;
    const connection = { operatorService, close: async () => undefined };
    return Promise.resolve({ client, connection } as unknown as ConnectedClient);
  }

  async #start(type: string, options: Record<string, unknown>) {
    const { beforeStart } = this;
    this.beforeStart = undefined;
    await beforeStart?.();
    const id = options['workflowId'] as string;
    const before = this.workflows.get(id);
    const isOpen = before?.status === 'RUNNING';
    if (isOpen && options['workflowIdConflictPolicy'] === 'USE_EXISTING')
      return { firstExecutionRunId: 'run-1' };
    if (isOpen || (before && options['workflowIdReusePolicy'] === 'REJECT_DUPLICATE')) {
      throw new WorkflowExecutionAlreadyStartedError('started already', id, type);
    }
    this.workflows.set(id, { status: 'RUNNING', options: { type, ...options } });
    return { firstExecutionRunId: 'run-1' };
  }

  #handle(id: string) {
    const found = () => {
      const workflow = this.workflows.get(id);
      if (!workflow) throw new WorkflowNotFoundError('no such workflow', id, undefined);
      return workflow;
    };
    return {
      describe: async () => {
        const { status, options } = found();
        return { status: { name: status }, runId: 'run-1', memo: options['memo'] };
      },
      signal: async () => {
        this.signalled.push(id);
        found();
      },
      query: async () => {
        found();
        return { level: 'image', doing: 'upgrading', waitingFor: null };
      },
      executeUpdate: async (_update: unknown, { args }: { args: unknown[] }) => {
        found();
        return this.onUpdate(args[0]);
      },
    };
  }
}
