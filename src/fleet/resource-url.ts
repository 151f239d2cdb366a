import { shortHash } from '../domain/random.ts';
import type { ExternalResource } from '../domain/surroundings.ts';

/** Scheme, user, host with path, query; a fragment is no part of what a URL names. */
const URL_PARTS = /^([a-z][a-z0-9+.-]*:\/\/)?(?:([^/?#@]*)@)?([^?#]*)(?:\?([^#]*))?/is;

/** How a token is told apart without being told. */
const FINGERPRINT = /^\(token [0-9a-f]+\)$/;

/**
 * A URL as the fleet compares it and as it may be told: lower case, and in place of its query, where SAS tokens are, and of a user with a
 * password, what tells one token from another: `https://store.example/setup.sh?(token 1a2b3c4d)`. The same for what is spelled so already.
 */
export function resourceUrl(url: string): string {
  const [, scheme = '', user, rest = '', query] = URL_PARTS.exec(url) ?? [];
  const place = `${scheme}${rest}`.toLowerCase();
  if (user === undefined && query !== undefined && FINGERPRINT.test(query)) return `${place}?${query}`;
  const token = [user, query].filter(Boolean).join('@');
  return token === '' ? place : `${place}?(token ${shortHash(token).slice(0, 8)})`;
}

/** The same without any token: where the resource is. */
export function resourcePlace(url: string): string {
  return resourceUrl(url).replace(/\?.*$/s, '');
}

/**
 * What a model's URL finds among the resources that are listed. Where credentials with tokens are listed for its place, the token in
 * the URL decides; else the credential is no part of the URL, and the same for all. What is gone is gone for every token.
 * @param url as `ScaleSet` spells it
 * @returns null when nobody has given out its token; undefined when nothing is listed for its place, which is there for all
 */
export function findResource(
  listed: readonly ExternalResource[],
  url: string,
): ExternalResource | null | undefined {
  const place = resourcePlace(url);
  const here = listed.filter((resource) => resourcePlace(resource.url) === place);
  if (here.length === 0) return undefined;
  const forAll = here.find((resource) => resource.url === place);
  const hasTokens = here.some((resource) => resource !== forAll);
  const found = here.find((resource) => resource.url === url) ?? (hasTokens ? undefined : forAll);
  return found === undefined ? null : { ...found, goneAt: found.goneAt ?? forAll?.goneAt ?? null };
}

/**
 * Every http(s) URL in an extension's settings: `fileUris` above all, and those within a longer text, such as `commandToExecute`.
 */
export function urlsIn(settings: unknown): string[] {
  if (typeof settings === 'string') {
    // What a shell or a sentence ends a URL with is not part of it.
    const urls = settings.match(/https?:\/\/[^\s"'`<>|;(){}\\]+/gi) ?? [];
    return urls.map((url) => url.replace(/[.,&]+$/, ''));
  }
  if (typeof settings !== 'object' || settings === null) return [];
  return Object.values(settings).flatMap(urlsIn);
}
