import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * `npm run audit`: fails when a production dependency has a known flaw of high or critical severity. Some registries, mirrors above all, do
 * not answer that question: then it says so, and fails only with `--required`.
 */
const TIMEOUT_MS = 8_000;
const ARGS = ['audit', '--omit=dev', '--audit-level=high', '--json', '--audit=true'];

interface Report {
  /** There when the registry did not answer. */
  message?: string;
  metadata?: { vulnerabilities: Record<string, number>; dependencies: { prod: number } };
  vulnerabilities?: Record<string, { severity: string; range: string; fixAvailable: unknown }>;
}

/** npm's report; it comes on standard output also where npm fails. */
async function askNpm(): Promise<Report> {
  const answer = await promisify(execFile)('npm', ARGS, { timeout: TIMEOUT_MS, maxBuffer: 2 ** 26 }).catch(
    (error: unknown) => error as { stdout?: string },
  );
  try {
    return JSON.parse(answer.stdout ?? '') as Report;
  } catch {
    return { message: `npm did not answer within ${TIMEOUT_MS / 1000} s` };
  }
}

function tell({ message, metadata, vulnerabilities = {} }: Report): number {
  if (metadata === undefined) {
    console.error(`The dependencies could not be audited: ${message ?? 'the registry gave no report'}.`);
    return process.argv.includes('--required') ? 1 : 0;
  }
  const grave = Object.entries(vulnerabilities).filter(([, { severity }]) =>
    /^(high|critical)$/.test(severity),
  );
  for (const [name, { severity, range }] of grave) console.error(`${severity}: ${name} ${range}`);
  console.log(
    `${metadata.dependencies.prod} production dependencies, ${grave.length} with a high or critical finding.`,
  );
  return grave.length > 0 ? 1 : 0;
}

process.exitCode = tell(await askNpm());
