import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { regionTaskQueue, TASK_QUEUE } from '../../src/workflows/messages.ts';
import { ROOT } from './image.ts';
import { findSchemas, ResourceChecker, type Resource } from './kubernetes-schemas.ts';

/*
 * The manifests, put together by `kubectl kustomize` and checked against the schemas that Kubernetes and KEDA publish. No
 * cluster is needed.
 */

const schemas = await findSchemas();
const missing = hasKubectl() ? ('missing' in schemas ? schemas.missing : null) : 'needs kubectl';
const because = missing === null ? '' : ` [skipped: ${missing}]`;

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['kustomize', '--help'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const parse = (text: string) => parseAllDocuments(text).map((one) => one.toJS() as Resource & Spec);
const kustomized = (folder: string) =>
  parse(execFileSync('kubectl', ['kustomize', join(ROOT, folder)], { encoding: 'utf8' }));
const written = (file: string) => parse(readFileSync(join(ROOT, file), 'utf8'));

/** What the tests look at. */
interface Spec {
  spec: {
    selector: { matchLabels: Record<string, string> };
    scaleTargetRef: { name: string };
    triggers: { type: string; metadata: Record<string, string> }[];
    template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
  };
}

interface PodSpec {
  securityContext: object;
  terminationGracePeriodSeconds: number;
  containers: Container[];
}

interface Probe {
  httpGet: { path: string; port: string };
}

interface Container {
  image: string;
  env: { name: string; value: string }[];
  ports: { name: string; containerPort: number }[];
  securityContext: object;
  resources: object;
  startupProbe: Probe;
  livenessProbe: Probe;
  readinessProbe: Probe;
}

describe.skipIf(missing !== null)(`the manifests of Kubernetes${because}`, () => {
  const isThere = missing === null && 'folder' in schemas;
  const checker = isThere ? new ResourceChecker(schemas.folder) : (null as never);
  const base = isThere ? kustomized('deploy/kubernetes') : [];
  const region = isThere ? kustomized('deploy/kubernetes/examples/region') : [];
  const examples = ['secret', 'hpa', 'keda'].flatMap((name) =>
    written(`deploy/kubernetes/examples/${name}.yaml`),
  );
  const all = [...base, ...region, ...examples];
  const deployments = [...base, ...region].filter(({ kind }) => kind === 'Deployment');

  it('are as the schemas of Kubernetes and KEDA want them, and know no field that these do not', () => {
    expect(all.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining([
        'Deployment',
        'NetworkPolicy',
        'PodDisruptionBudget',
        'Service',
        'ScaledObject',
      ]),
    );
    expect(all.flatMap((resource) => checker.problemsOf(resource))).toEqual([]);
  });

  it.each([
    ['Deployment', 'spec.template.spec.containers.0.readynessProbe', {}],
    ['Deployment', 'spec.replicas', 'two'],
    ['NetworkPolicy', 'spec.ingres', []],
    ['HorizontalPodAutoscaler', 'spec.maxReplica', 8],
    ['ScaledObject', 'spec.minReplicas', 2],
    ['ScaledObject', 'spec.triggers.0.metadata.targetQueueSize', 50],
  ])('would be refused: %s with %s', (kind, path, value) => {
    const resource = structuredClone(all.find((one) => one.kind === kind)) as Resource;
    const keys = path.split('.');
    const last = keys.pop() as string;
    const parent = keys.reduce<unknown>((one, key) => (one as Record<string, unknown>)[key], resource);
    (parent as Record<string, unknown>)[last] = value;
    expect(checker.problemsOf(resource).join('\n')).toContain(kind);
  });

  it('run unprivileged, write nowhere but to /tmp, and say what they need', () => {
    expect(deployments).toHaveLength(3);
    for (const { spec } of deployments) {
      const pod = spec.template.spec;
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of pod.containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources).toMatchObject({ requests: { cpu: expect.anything() as string } });
      }
    }
  });

  it('ask each process where it answers, and give it the time that it takes to end', () => {
    for (const { metadata, spec } of deployments) {
      const { containers, terminationGracePeriodSeconds } = spec.template.spec;
      const [container] = containers as [Container];
      const [port] = container.ports as [Container['ports'][number]];
      const told = container.env.find(({ name }) => name === 'METRICS_PORT' || name === 'PORT');
      expect(told?.value, metadata.name).toBe(String(port.containerPort));
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
        const path = probe === 'readinessProbe' ? '/readyz' : '/healthz';
        expect(container[probe].httpGet).toEqual({ path, port: port.name });
      }
      expect(terminationGracePeriodSeconds).toBe(metadata.name === 'rollouts-api' ? 15 : 30);
    }
  });

  it('tell the pods of a region from those of the base, so that no two budgets hold for one', () => {
    const selectors = deployments.map(({ spec }) => JSON.stringify(spec.selector.matchLabels));
    expect(new Set(selectors).size).toBe(deployments.length);
    const budgets = [...base, ...region].filter(({ kind }) => kind === 'PodDisruptionBudget');
    const workers = deployments.filter(({ metadata }) => metadata.name.startsWith('rollouts-worker'));
    expect(budgets.map(({ spec }) => spec.selector)).toEqual(workers.map(({ spec }) => spec.selector));
  });

  it('name the queues and the deployments that there are', () => {
    const [scaled] = examples.filter(({ kind }) => kind === 'ScaledObject') as [(typeof examples)[number]];
    expect(scaled.spec.triggers[0]?.metadata['taskQueue']).toBe(TASK_QUEUE);
    for (const { spec } of examples.filter((one) => one.spec?.scaleTargetRef)) {
      expect(base.map(({ metadata }) => metadata.name)).toContain(spec.scaleTargetRef.name);
    }
    const [worker] = region.filter(({ kind }) => kind === 'Deployment') as [(typeof region)[number]];
    expect(worker.spec.template.spec.containers[0]?.env).toContainEqual({
      name: 'WORKER_REGIONS',
      value: 'eastus',
    });
    expect(readFileSync(join(ROOT, 'docs/kubernetes.md'), 'utf8')).toContain(regionTaskQueue('eastus'));
  });
});
