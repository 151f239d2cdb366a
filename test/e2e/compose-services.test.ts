import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { workerSettings } from '../../src/temporal/worker-settings.ts';
import { composeConfig, missingCompose, type ComposeConfig, type Service } from './compose-config.ts';
import { OWN_IMAGE, ROOT } from './image.ts';

const because = missingCompose === null ? '' : ` [skipped: ${missingCompose}]`;

describe.skipIf(missingCompose !== null)(`docker-compose.yml${because}`, () => {
  const config: ComposeConfig = missingCompose === null ? composeConfig() : { services: {} };
  const services = Object.entries(config.services);

  it('holds what is wanted', () => {
    expect(Object.keys(config.services).toSorted()).toEqual([
      'api',
      'grafana',
      'other-region-workers',
      'postgresql',
      'prometheus',
      'region-workers',
      'rollouts',
      'temporal',
      'temporal-namespace',
      'temporal-schema',
      'temporal-ui',
      'worker',
    ]);
  });

  it('pins every image that is not built here', () => {
    const images = services.map(([, { image }]) => image).filter((image) => image !== OWN_IMAGE);
    expect(images).toHaveLength(7);
    for (const image of images) expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
  });

  const workers = ['worker', 'region-workers', 'other-region-workers'] as const;

  it('lets workers be scaled: no name, no port', () => {
    for (const name of workers) {
      expect(config.services[name]).not.toHaveProperty('container_name');
      expect(config.services[name]?.ports ?? []).toEqual([]);
    }
  });

  it('has groups of workers for the steps of regions, if they are asked for', () => {
    const groups = workers.map((name) => config.services[name] as Service);
    expect(groups.map(({ deploy }) => deploy?.replicas)).toEqual([undefined, 2, 1]);
    expect(groups.map(({ environment }) => workerSettings(environment))).toMatchObject([
      { workflows: true, regions: [] },
      { workflows: false, regions: ['eastus', 'westus2'] },
      { workflows: false, regions: 'all' },
    ]);
    const [usual, ...others] = groups.map(({ command, healthcheck }) => ({ command, healthcheck }));
    for (const other of others) expect(other).toEqual(usual);
    const given = composeConfig({ ACTIVITY_QUEUES: 'region', WORKER_REGIONS: 'uksouth' }).services;
    expect(given['rollouts']?.environment['ACTIVITY_QUEUES']).toBe('region');
    expect(given['region-workers']?.environment['WORKER_REGIONS']).toBe('uksouth');
  });

  it('opens ports to this machine only', () => {
    const ports = services.flatMap(([, { ports = [] }]) => ports);
    expect(ports).toHaveLength(5);
    for (const port of ports) {
      expect(typeof port === 'string' ? port : `${port.host_ip}:`).toMatch(/^127\.0\.0\.1:/);
    }
  });

  it('waits for services only by what they can tell', () => {
    const waits = services.flatMap(([name, { depends_on: on = {} }]) =>
      Object.entries(on).map(([other, { condition }]) => ({ name, other, condition })),
    );
    expect(waits).not.toEqual([]);
    for (const { name, other, condition } of waits) {
      const service = config.services[other];
      const runsOnce = service?.restart === 'on-failure';
      const told = runsOnce ? 'service_completed_successfully' : 'service_healthy';
      expect({ name, other, condition }).toEqual({ name, other, condition: told });
      expect(runsOnce || service?.healthcheck !== undefined).toBe(true);
    }
  });

  it('gives one password to all who need it', () => {
    const changed = composeConfig({ POSTGRES_PASSWORD: 'another', POSTGRES_USER: 'someone' }).services;
    expect(changed['postgresql']?.environment).toMatchObject({
      POSTGRES_PASSWORD: 'another',
      POSTGRES_USER: 'someone',
    });
    expect(changed['temporal']?.environment).toMatchObject({
      POSTGRES_PWD: 'another',
      POSTGRES_USER: 'someone',
    });
    expect(changed['temporal-schema']?.environment).toMatchObject({
      SQL_PASSWORD: 'another',
      SQL_USER: 'someone',
    });
    for (const name of ['worker', 'api', 'rollouts']) {
      expect(changed[name]?.environment['DATABASE_URL']).toBe(
        'postgres://someone:another@postgresql:5432/rollouts',
      );
    }
  });

  it('has every setting and its default in .env.example', () => {
    const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
    const used = [...text.matchAll(/\$\{(\w+):-([^}]*)\}/g)].map(([, name, value]) => `${name}=${value}`);
    const shown = readFileSync(join(ROOT, '.env.example'), 'utf8').match(/^\w+=.*$/gm) ?? [];
    expect([...new Set(used)].toSorted()).toEqual(shown.toSorted());
  });
});
