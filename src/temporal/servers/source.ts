/** Says what is happening, one line at a time; a fetch takes long enough that silence would look like a hang. */
export type Report = (line: string) => void;

/** What asking one source for a server came to. */
export type SourceOutcome =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'absent'; readonly reason: string; readonly remedy?: string }
  /** A person asked for this very one and it doesn't work: falling through to another would hide their mistake. */
  | { readonly kind: 'misconfigured'; readonly reason: string };

/** One place where a server's executable may come from. */
export interface ServerSource {
  readonly name: string;
  /** Looks, and fetches if that is what the source does. May throw: the search records the error and goes on. */
  find(report: Report): Promise<SourceOutcome>;
}

/** A source that was asked in vain, and why. */
export interface Attempt {
  readonly source: string;
  readonly reason: string;
  readonly remedy?: string;
}

export interface FoundServer {
  readonly path: string;
  readonly source: string;
  /** The sources asked before the one that had it. */
  readonly attempts: readonly Attempt[];
}

export interface ServerSearch {
  /** What is looked for, as a person would name it: `Temporal CLI`. */
  readonly program: string;
  readonly sources: readonly ServerSource[];
  readonly report: Report;
}

/** No source has the server. The message lists every attempt in order, and what to install. */
export class ServerNotFoundError extends Error {
  override readonly name = 'ServerNotFoundError';
  readonly program: string;
  readonly attempts: readonly Attempt[];

  constructor(program: string, attempts: readonly Attempt[]) {
    super(describeFailure(program, attempts));
    this.program = program;
    this.attempts = attempts;
  }
}

/** Writes progress to stderr, where it can't get into output that someone parses. */
export const reportToStderr: Report = (line) => void process.stderr.write(`${line}\n`);

/**
 * Asks the sources in order and returns the first server found.
 * @throws ServerNotFoundError when none has it, or as soon as an explicit one is misconfigured
 */
export async function findServer({ program, sources, report }: ServerSearch): Promise<FoundServer> {
  const attempts: Attempt[] = [];
  for (const source of sources) {
    const outcome = await ask(source, report);
    if (outcome.kind === 'found') return { path: outcome.path, source: source.name, attempts };
    const { kind, ...why } = outcome;
    attempts.push({ source: source.name, ...why });
    if (kind === 'misconfigured') break;
  }
  throw new ServerNotFoundError(program, attempts);
}

async function ask(source: ServerSource, report: Report): Promise<SourceOutcome> {
  try {
    return await source.find(report);
  } catch (error) {
    return { kind: 'absent', reason: error instanceof Error ? error.message : String(error) };
  }
}

function describeFailure(program: string, attempts: readonly Attempt[]): string {
  const tried = attempts.map(({ source, reason }, i) => `  ${i + 1}. ${source}: ${indented(reason)}`);
  const remedies = [...new Set(attempts.flatMap(({ remedy }) => remedy ?? []))].map((line) => `  - ${line}`);
  const advice = remedies.length > 0 ? ['Any one of these mends it:', ...remedies] : [];
  return [`${program} was not found. Tried, in order:`, ...tried, ...advice].join('\n');
}

const indented = (text: string) => text.trim().replaceAll('\n', '\n     ');
