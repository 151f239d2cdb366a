import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { cacheRoot, installFolder } from '../../src/temporal/servers/cache.ts';
import { ROOT } from './image.ts';

/** A resource of Kubernetes, as far as it is known before it is checked. */
export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}

/** A Python package that holds the schemas of every version, made from what Kubernetes publishes. */
const PACKAGE = 'kubernetes-validate==1.37.0';
/** The oldest version that the manifests are for. */
const VERSION = 'v1.32.0';
const FOLDER = `kubernetes_validate/kubernetes-json-schema/${VERSION}-local-strict/`;
/** What the others refer to. */
const DEFINITIONS = 'https://kubernetes.io/api/_definitions.json';
const DOWNLOAD_TIMEOUT_MS = 60_000;

/** Takes one folder out of a wheel: there are some 15,000 files in it. */
const EXTRACT = `
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(sys.argv[3])])
`;

/** Where the schemas are, fetched from PyPI if need be; why there are none otherwise. */
export async function findSchemas(): Promise<{ folder: string } | { missing: string }> {
  const target = join(cacheRoot(), 'kubernetes-schemas', `${PACKAGE.split('==')[1]}-${VERSION}`);
  try {
    if (!existsSync(target)) await installFolder(target, async (folder) => fetchSchemas(folder));
    return { folder: join(target, FOLDER) };
  } catch (error) {
    return { missing: `needs ${PACKAGE} from PyPI by python3 and pip: ${(error as Error).message}` };
  }
}

function fetchSchemas(folder: string): void {
  const download = mkdtempSync(join(tmpdir(), 'rollouts-schemas-'));
  const python = (...args: string[]) =>
    execFileSync('python3', args, { stdio: 'pipe', timeout: DOWNLOAD_TIMEOUT_MS });
  try {
    python('-m', 'pip', 'download', '--quiet', '--no-deps', '--no-input', '--dest', download, PACKAGE);
    const [wheel = ''] = readdirSync(download);
    python('-c', EXTRACT, join(download, wheel), folder, FOLDER);
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
}

/** Finds out what is wrong with resources. Fields that no schema knows are wrong. */
export class ResourceChecker {
  readonly #folder: string;
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, logger: false });

  constructor(folder: string) {
    this.#folder = folder;
    this.#ajv.addSchema(this.#read('_definitions.json'), DEFINITIONS);
  }

  /** What is wrong, with where: empty if nothing is. @throws Error for a kind without a schema */
  problemsOf(resource: Resource): string[] {
    const { kind, metadata } = resource;
    const validate = this.#schemaOf(resource);
    if (validate(resource)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${kind} ${metadata?.name}: ${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  #schemaOf({ apiVersion, kind }: Resource): ValidateFunction {
    // `networkpolicy-networking-v1.json` for a NetworkPolicy of networking.k8s.io/v1.
    const parts = [kind, ...apiVersion.split('/').map((part) => part.split('.')[0])];
    const name = `${parts.join('-').toLowerCase()}.json`;
    const known = this.#validators.get(name);
    if (known) return known;
    const validate = this.#ajv.compile(apiVersion.startsWith('keda.sh/') ? kedaSchema() : this.#read(name));
    this.#validators.set(name, validate);
    return validate;
  }

  #read(name: string): object {
    return JSON.parse(readFileSync(join(this.#folder, name), 'utf8')) as object;
  }
}

/** As the cluster would check it, which drops fields that it does not know: here they are wrong. */
function kedaSchema(): object {
  const text = readFileSync(join(ROOT, 'test/e2e/schemas/keda-scaled-object.json'), 'utf8');
  return JSON.parse(text, (_key, value: unknown) => {
    const isClosed = typeof value === 'object' && value !== null && 'properties' in value && 'type' in value;
    return isClosed && value.type === 'object' ? { additionalProperties: false, ...value } : value;
  }) as object;
}
