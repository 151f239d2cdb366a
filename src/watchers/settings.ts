const DEFAULT_SOURCE = '/os-image-rollouts';

/**
 * What tells the events of this installation from those of others: `WATCHERS_SOURCE`, a URI or a part of one.
 * @throws Error that names the variable, when its value is none
 */
export function eventSource(env: NodeJS.ProcessEnv = process.env): string {
  const source = env['WATCHERS_SOURCE'] || DEFAULT_SOURCE;
  if (/^[\x21-\x7e]{1,512}$/.test(source) && URL.canParse(source, 'https://a.example')) return source;
  throw new Error(
    `WATCHERS_SOURCE "${source}" is no URI: give one such as https://rollouts.example/production, or leave it out.`,
  );
}
