import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  connectClient,
  connectWorker,
  loadConnection,
  TemporalUnreachableError,
} from '../../src/temporal/connection.ts';
import { bundleWorkflows, devServerEnvironment, type DevServerEnvironment } from '../support/temporal.ts';
import {
  makeCertificates,
  startTlsProxy,
  type Certificates,
  type TlsProxy,
  type TlsProxyOptions,
} from '../support/tls-proxy.ts';
import { sleeper } from './workflows.ts';

/* What a Temporal server gets of the settings for TLS and API keys, by Temporal's own environment variables. */

const hasOpenssl = (() => {
  try {
    return execFileSync('openssl', ['version']).length > 0;
  } catch {
    return false;
  }
})();

const API_KEY = 'an-api-key';
const taskQueue = 'secure';

describe.skipIf(!hasOpenssl)('a connection to a server with TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollouts-tls-'));
  let certificates: Certificates;
  let server: DevServerEnvironment;
  const proxies: TlsProxy[] = [];

  beforeAll(async () => {
    certificates = await makeCertificates(folder);
    server = await devServerEnvironment();
  });
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.close();
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function proxied(options: Partial<TlsProxyOptions>): Promise<TlsProxy> {
    const proxy = await startTlsProxy({ target: server.address, certificates, ...options });
    proxies.push(proxy);
    return proxy;
  }

  const trusting = ({ address }: TlsProxy) => ({
    TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml',
    TEMPORAL_ADDRESS: address,
    TEMPORAL_TLS: 'true',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.ca,
  });
  const identified = () => ({
    TEMPORAL_TLS_CLIENT_CERT_PATH: certificates.client.cert,
    TEMPORAL_TLS_CLIENT_KEY_PATH: certificates.client.key,
  });

  /** Has a workflow carried out by a client and a worker that know only these settings. */
  async function runWorkflow(env: NodeJS.ProcessEnv): Promise<void> {
    const settings = loadConnection(env);
    const { client, connection } = await connectClient(settings);
    const native = await connectWorker(settings);
    const workflowBundle = await bundleWorkflows(new URL('./workflows.ts', import.meta.url).pathname);
    const worker = await Worker.create({ connection: native, taskQueue, workflowBundle });
    await worker.runUntil(async () => {
      const options = { taskQueue, workflowId: `secure-${env['TEMPORAL_ADDRESS']}`, args: [1] as [number] };
      expect(await client.workflow.execute(sleeper, options)).toBeGreaterThanOrEqual(0);
    });
    await Promise.all([connection.close(), native.close()]);
  }

  const CALLS = ['StartWorkflowExecution', 'PollWorkflowTaskQueue', 'RespondWorkflowTaskCompleted'];

  it('shows the certificate of client and worker on every call', async () => {
    const proxy = await proxied({ asksForCertificate: true });
    await runWorkflow({ ...trusting(proxy), ...identified() });
    expect(proxy.calls.map(({ method }) => method)).toEqual(expect.arrayContaining(CALLS));
    expect([...new Set(proxy.calls.map(({ caller }) => caller))]).toEqual(['rollouts']);
  });

  it('sends the API key of client and worker with every call', async () => {
    const proxy = await proxied({ apiKey: API_KEY });
    await runWorkflow({ ...trusting(proxy), TEMPORAL_API_KEY: API_KEY });
    expect(proxy.calls.map(({ method }) => method)).toEqual(expect.arrayContaining(CALLS));
    expect([...new Set(proxy.calls.map(({ authorization }) => authorization))]).toEqual([
      `Bearer ${API_KEY}`,
    ]);
  });

  it('is refused, and says so, without what the server asks for', async () => {
    const withCertificates = await proxied({ asksForCertificate: true });
    const withKeys = await proxied({ apiKey: API_KEY });
    const { TEMPORAL_TLS_SERVER_CA_CERT_PATH: _ca, ...distrusting } = trusting(withKeys);
    const wrong = [
      trusting(withCertificates),
      { ...trusting(withKeys), TEMPORAL_API_KEY: 'a-wrong-key' },
      { ...distrusting, TEMPORAL_API_KEY: API_KEY },
    ];
    const tries = wrong
      .map((env) => loadConnection(env))
      .flatMap((settings) => [connectClient(settings), connectWorker(settings)]);
    for (const { status, reason } of (await Promise.allSettled(tries)) as PromiseRejectedResult[]) {
      expect(status).toBe('rejected');
      expect(reason).toBeInstanceOf(TemporalUnreachableError);
      expect(String(reason)).not.toMatch(/a-wrong-key|an-api-key/);
    }
  });
});
