import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSimulatedFleet } from '../../src/fleet/index.ts';
import { fleetSpecOf, testSetId } from '../support/fleet.ts';
import { temporaryDatabase } from '../support/database.ts';
import { expressions } from '../support/observability.ts';
import { otlpCollector, type OtlpCollector, type ReceivedSpan } from '../support/otlp-collector.ts';
import { metricsIn } from '../support/promql.ts';
import { devServerEnvironment, type DevServerEnvironment } from '../support/temporal.ts';
import { startWorkerProcess, type LogLine, type WorkerProcess } from '../support/worker-process.ts';

/** One rollout by a worker and a command that are processes of their own: what they tell of it. */

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IMAGE = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts';
const VMS = 5;

let server: DevServerEnvironment;
let collector: OtlpCollector;
let database: Awaited<ReturnType<typeof temporaryDatabase>>;
let worker: WorkerProcess;
let scrape = '';
let readiness: { status: number; body: unknown };
let exitCode: number | null;

beforeAll(async () => {
  [server, collector, database] = await Promise.all([
    devServerEnvironment(),
    otlpCollector(),
    temporaryDatabase(),
  ]);
  const fleet = await openSimulatedFleet(database);
  await fleet.seed(
    fleetSpecOf([{ name: 'web', region: 'eastus', capacity: VMS }], { speed: 600 }),
    Date.now(),
  );
  const env = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: server.address,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  };
  worker = startWorkerProcess({ ...env, METRICS_PORT: '0', LOG_LEVEL: 'debug' });
  const url = String((await worker.logged('metrics and health are served'))['url']);
  await worker.logged('worker ready');
  const start = [
    'start',
    IMAGE,
    '--bake',
    '1m',
    '--trigger-delay',
    '1m',
    '--first-trigger-delay',
    '1m',
    '--wait',
  ];
  const node = ['--import', 'tsx', 'src/client/cli/main.ts', ...start];
  await run(process.execPath, node, { cwd: ROOT, env: { ...process.env, ...env } });
  scrape = await (await fetch(`${url}/metrics`)).text();
  const ready = await fetch(`${url}/readyz`);
  readiness = { status: ready.status, body: await ready.json() };
  exitCode = await worker.stop();
});

afterAll(async () => {
  await worker?.stop();
  await Promise.all([server?.stop(), collector?.close(), database?.remove()]);
});

describe('a worker that has carried out a rollout', () => {
  it('is ready, and ends well when it is asked to', () => {
    const checks = { database: 'ok', temporal: 'ok', worker: 'ok' };
    expect(readiness).toEqual({ status: 200, body: { status: 'ready', checks } });
    expect(exitCode).toBe(0);
  });

  it('counts what was done', () => {
    const group = `image="${IMAGE.toLowerCase()}",region="eastus",action="osUpgrade"`;
    expect(scrape).toContain(`rollouts_instances_total{${group},outcome="upgraded"} ${VMS}\n`);
    expect(scrape).toContain(`rollouts_batches_closed_total{${group}} ${VMS}\n`);
    expect(scrape).toContain(`rollouts_health_wait_seconds_count{outcome="healthy"} ${VMS}\n`);
    expect(scrape).toContain(`rollouts_batch_duration_seconds_count{action="osUpgrade"} ${VMS}\n`);
    expect(scrape).toMatch(/^temporal_workflow_completed_total\{.*workflow_type="batchUpgrade".*\} 5$/m);
  });

  /** What counts only when something fails; the SDK lists no metric that it has not counted yet. */
  const WHEN_IT_FAILS = new Set([
    'temporal_activity_execution_failed_total',
    'temporal_local_activity_execution_failed_total',
    'temporal_request_failure_total',
    'temporal_workflow_failed_total',
    'temporal_workflow_task_execution_failed_total',
  ]);

  it('has every metric that a dashboard or an alert asks for', () => {
    // Prometheus itself says which of its targets are up.
    const present = new Set(['up', ...WHEN_IT_FAILS]);
    for (const [, name = '', type] of scrape.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      present.add(name);
      if (type === 'histogram') present.add(`${name}_bucket`);
    }
    const missing = expressions().flatMap(({ where, expr }) =>
      metricsIn(expr)
        .filter(({ name }) => !present.has(name))
        .map(({ name }) => `${where}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it('is one that Prometheus can read: each metric once, with a value of its own for each set of labels', () => {
    const types = [...scrape.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    expect(new Set(types).size).toBe(types.length);
    const series = scrape.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(series.filter((line) => !/^[a-z_:]\w*(\{.*\})? \S+$/i.test(line))).toEqual([]);
    const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('its log', () => {
  const lineOf = (message: string) => worker.lines.find(({ msg }) => msg === message) as LogLine;

  it('says of every line about a batch to which rollout, set and attempt it belongs', () => {
    const about = { rolloutId: expect.stringContaining('/1'), scaleSetId: testSetId('web') };
    const attempt = { attemptId: expect.stringMatching(/-1$/) };
    expect(lineOf('attempt begun')).toMatchObject({ ...about, ...attempt, level: 30 });
    expect(lineOf('batch begun')).toMatchObject({ ...about, ...attempt, batch: 1, vms: ['0'] });
    expect(lineOf('batch closed')).toMatchObject({ ...about, ...attempt, batch: 1, upgraded: 1, failed: 0 });
    expect(lineOf('attempt ended')).toMatchObject({ ...about, ...attempt, status: 'Completed' });
    expect(lineOf('phase judged')).toMatchObject({ phase: 1, eligible: VMS, failed: 0 });
    expect(lineOf('rollout is Completed')).toMatchObject({ rolloutId: about.rolloutId });
    const ofBatches = worker.lines.filter(({ workflowType }) => workflowType === 'batchUpgrade');
    // For the SDK they begin before they are given their input.
    const early = new Set(['Workflow started', 'Activity started']);
    expect(ofBatches.filter(({ msg, batch }) => batch === undefined && !early.has(msg))).toEqual([]);
    expect(ofBatches.map(({ msg }) => msg)).toContain('Workflow completed');
  });

  it('is JSON throughout, and has nothing to complain of', () => {
    expect(worker.lines.filter(({ level }) => level > 30)).toEqual([]);
  });
});

describe('the traces', () => {
  const named = (name: string) => collector.spans.filter((span) => span.name === name);

  /** The span's name, and those that it came from, the first one last. */
  function lineage(span: ReceivedSpan): string[] {
    const parent = collector.spans.find(({ spanId }) => spanId === span.parentSpanId);
    return [span.name, ...(parent ? lineage(parent) : [])];
  }

  it('lead from the command over the workflows to the activities, in one trace', () => {
    const [start] = named('StartWorkflow:imageRollout');
    expect(start).toMatchObject({ service: 'rollouts', parentSpanId: '' });
    const swaps = named('RunActivity:swapOsDisks');
    expect(swaps).toHaveLength(VMS);
    for (const swap of swaps) {
      expect(swap).toMatchObject({ service: 'rollouts-worker', traceId: start?.traceId });
      expect(lineage(swap)).toEqual([
        'RunActivity:swapOsDisks',
        'StartActivity:swapOsDisks',
        'RunWorkflow:batchUpgrade',
        'StartChildWorkflow:batchUpgrade',
        'RunWorkflow:scaleSetRollout',
        'StartChildWorkflow:scaleSetRollout',
        'RunWorkflow:regionRollout',
        'StartChildWorkflow:regionRollout',
        'RunWorkflow:phaseRollout',
        'StartChildWorkflow:phaseRollout',
        'RunWorkflow:imageRollout',
        'StartWorkflow:imageRollout',
      ]);
    }
  });
});
