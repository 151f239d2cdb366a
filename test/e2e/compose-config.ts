import { execFileSync } from 'node:child_process';
import { ROOT } from './image.ts';

/** A service of docker-compose.yml, as far as the tests look at it. */
export interface Service {
  image: string;
  command: string[];
  entrypoint?: string[];
  environment: Record<string, string>;
  container_name?: string;
  ports?: (string | { host_ip?: string; target: number })[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  privileged?: boolean;
  restart?: string;
  profiles?: string[];
  deploy?: { replicas: number };
}

export interface ComposeConfig {
  services: Record<string, Service>;
}

type Env = Record<string, string>;

/** Compose's second version is a plugin of Docker, its first a program of its own that answers in YAML only. */
const COMMANDS: { command: string[]; format: string[] }[] = [
  { command: ['docker', 'compose'], format: ['--format', 'json'] },
  { command: ['docker-compose'], format: [] },
];

const available = COMMANDS.find(({ command: [program = '', ...args] }) =>
  succeeds(program, [...args, 'version']),
);

/** Why compose can't be asked here, or null when it can. */
export const missingCompose =
  available === undefined ? 'needs docker-compose: apt-get install docker-compose' : null;

/**
 * docker-compose.yml as Compose itself understands it, with all variables filled in.
 * @throws Error with Compose's words when it does not accept the file
 */
export function composeConfig(env: Env = {}): ComposeConfig {
  if (available === undefined) throw new Error(missingCompose ?? '');
  const { command, format } = available;
  const [program = '', ...args] = command;
  // Not the .env of whoever runs the tests: the example's settings are the defaults, which a test makes sure of.
  const profiles = ['command', 'observability', 'scale'].flatMap((profile) => ['--profile', profile]);
  const global = ['--env-file', '.env.example', ...profiles];
  const text = execFileSync(program, [...args, ...global, 'config', ...format], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...env },
  });
  return JSON.parse(format.length > 0 ? text : jsonOf(text)) as ComposeConfig;
}

/** By the YAML library that docker-compose itself is made with. */
function jsonOf(yaml: string): string {
  const script = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)';
  return execFileSync('/usr/bin/python3', ['-c', script], { input: yaml, encoding: 'utf8' });
}

function succeeds(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
