import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** What Prometheus and Grafana are given, as far as tests look at it. */

export interface Alert {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { uid: string };
  targets?: { refId: string; expr: string }[];
}

export interface Dashboard {
  uid: string;
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string; definition?: string }[] };
}

const fileOf = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../docker/observability/${name}`, import.meta.url)), 'utf8');

export function alerts(): Alert[] {
  const { groups } = parse(fileOf('alerts.yml')) as { groups: { rules: Alert[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export function dashboard(): Dashboard {
  return JSON.parse(fileOf('grafana/dashboards/rollouts.json')) as Dashboard;
}

/** Every expression of both, with where it stands. */
export function expressions(): { where: string; expr: string }[] {
  return [
    ...alerts().map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })),
    ...dashboard().panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ where: `panel ${title}`, expr })),
    ),
  ];
}
