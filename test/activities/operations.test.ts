import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { linesOf } from '../../src/telemetry/activity-lines.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';
import { workerProbe } from '../../src/telemetry/probes.ts';
import { runtimeLogger } from '../../src/telemetry/runtime-logger.ts';
import { serveOperations, type OperationsServer } from '../../src/telemetry/server.ts';
import { operationsAddress } from '../../src/telemetry/settings.ts';
import { isTraced, startTracing } from '../../src/telemetry/tracing.ts';
import { logSubjectOf } from '../../src/workflows/log-subject.ts';

describe('where a worker listens', () => {
  it('is nowhere without METRICS_PORT, and on loopback without METRICS_HOST', () => {
    expect(operationsAddress({})).toBeNull();
    expect(operationsAddress({ METRICS_PORT: '' })).toBeNull();
    expect(operationsAddress({ METRICS_PORT: '9464' })).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(operationsAddress({ METRICS_PORT: '0', METRICS_HOST: '::' })).toEqual({ host: '::', port: 0 });
  });

  it.each(['http', '-1', '65536', '80.5'])('cannot be %s', (port) => {
    expect(() => operationsAddress({ METRICS_PORT: port })).toThrow(`METRICS_PORT "${port}" is no port`);
  });
});

describe('the server of a worker', () => {
  const servers: OperationsServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  const metrics: Metrics = {
    contentType: 'text/plain; version=0.0.4',
    render: async () => 'a_metric 1\n',
    healthWaitEnded: () => undefined,
  };
  const serve = async (port = 0, state = 'RUNNING') => {
    const probes = { worker: workerProbe(() => ({ getState: () => state })) };
    const server = await serveOperations({ host: '127.0.0.1', port }, probes, metrics);
    servers.push(server);
    return server;
  };

  it('answers with metrics, and that it lives and is ready', async () => {
    const { url } = await serve();
    const answer = await fetch(`${url}/metrics`);
    expect(await answer.text()).toBe('a_metric 1\n');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('lives, but is not ready, while the worker takes no tasks', async () => {
    const { url } = await serve(0, 'DRAINING');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const answer = await fetch(`${url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      status: 'not ready',
      checks: { worker: 'the worker is draining' },
    });
    await expect(workerProbe(() => undefined)()).rejects.toThrow('the worker is starting');
  });

  it('says what to do when its port is taken', async () => {
    const port = Number(new URL((await serve()).url).port);
    await expect(serve(port)).rejects.toThrow(
      new RegExp(`METRICS_PORT ${port}: .*EADDRINUSE.* Give every worker of a machine its own`),
    );
  });
});

describe('lines of the log', () => {
  const rolloutId = 'rollout/i/1/1';

  it('say what they are about, whatever else the input holds', () => {
    const attempt = { id: 'a-1', fence: 1, number: 1 };
    const secret = { settings: { password: 'x' }, target: {} };
    expect(logSubjectOf({ rolloutId, scaleSetId: '/s', attempt, batch: 2, ...secret })).toEqual({
      rolloutId,
      scaleSetId: '/s',
      attemptId: 'a-1',
      batch: 2,
    });
    expect(logSubjectOf({ rolloutId, phase: 1, region: 'eastus' })).toEqual({
      rolloutId,
      phase: 1,
      region: 'eastus',
    });
    for (const other of [undefined, null, 'text', { phase: null, attempt: null }])
      expect(logSubjectOf(other)).toEqual({});
  });

  it('tell how a batch and an attempt ended, louder when something failed', () => {
    const health = { healthy: 3, nextLookAt: null, waiting: 0, toRestore: [], left: 0 };
    expect(linesOf('checkHealth', {}, health)).toMatchObject([
      { level: 'info', message: 'batch closed', fields: { upgraded: 3, failed: 0 } },
    ]);
    expect(linesOf('checkHealth', {}, { ...health, left: 1 })).toMatchObject([{ level: 'warn' }]);
    expect(linesOf('checkHealth', {}, { ...health, waiting: 1, nextLookAt: 5 })).toMatchObject([
      { level: 'debug' },
    ]);
    const look = { attempt: { id: 'a-1' }, progress: {}, foreign: false };
    const reason = { code: 'OptedOut', message: 'switched off' };
    const ended = { ...look, kind: 'finished', status: 'Cancelled', reason };
    expect(linesOf('lookAtScaleSet', { attempt: {} }, ended)).toMatchObject([
      { level: 'warn', message: 'attempt ended', fields: { status: 'Cancelled', code: 'OptedOut' } },
    ]);
    const first = { ...look, kind: 'wait', what: 'zone 2', until: 0 };
    expect(linesOf('lookAtScaleSet', {}, first).map(({ message }) => message)).toEqual([
      'attempt begun',
      'scale set waits for zone 2',
    ]);
    expect(linesOf('unknown', {}, {})).toEqual([]);
  });

  it('are JSON with all that the SDK knows, its own chatter at debug', () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const logger = runtimeLogger(log);
    logger.info('batch closed', { sdkComponent: 'activity', rolloutId, namespace: 'default' });
    logger.info('Worker state changed', { sdkComponent: 'worker', state: 'RUNNING' });
    logger.warn('Activity failed', { sdkComponent: 'worker', error: new Error('locked'), rolloutId });
    logger.trace('not at this level', {});
    expect(lines).toMatchObject([
      { level: 30, msg: 'batch closed', rolloutId },
      { level: 20, msg: 'Worker state changed', state: 'RUNNING' },
      { level: 40, msg: 'Activity failed', rolloutId, err: { message: 'locked' } },
    ]);
    expect(lines[0]).not.toHaveProperty('namespace');
  });
});

describe('tracing', () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector:4318';

  it('is off unless an endpoint is given, and may be switched off', () => {
    expect(isTraced({})).toBe(false);
    expect(isTraced({ OTEL_EXPORTER_OTLP_ENDPOINT })).toBe(true);
    expect(isTraced({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/v1/traces' })).toBe(true);
    expect(isTraced({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' })).toBe(false);
    expect(isTraced({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: 'none' })).toBe(false);
  });

  it('says which address cannot be used, rather than send to nowhere', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318');
    await expect(startTracing('test')).rejects.toThrow(
      'OTEL_EXPORTER_OTLP_ENDPOINT "collector:4318" is no address of a collector',
    );
    vi.unstubAllEnvs();
  });
});
