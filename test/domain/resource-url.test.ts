import { describe, expect, it } from 'vitest';
import type { ExternalResource } from '../../src/domain/surroundings.ts';
import { findResource, resourcePlace, resourceUrl } from '../../src/fleet/resource-url.ts';

const PLACE = 'https://store.example/app.zip';
const url = (token: string) => resourceUrl(`${PLACE}?${token}`);
const listed = (spelled: string, change: Partial<ExternalResource> = {}): ExternalResource => ({
  url: spelled,
  credentialExpiresAt: null,
  goneAt: null,
  ...change,
});

describe('the URL of a resource', () => {
  it('is known in any case of letters, and by its token without telling it', () => {
    expect(resourceUrl('HTTPS://Store.example/App.zip#part')).toBe(PLACE);
    expect(url('sig=SECRET')).toMatch(/^https:\/\/store\.example\/app\.zip\?\(token [0-9a-f]{8}\)$/);
    expect(url('sig=a')).not.toBe(url('sig=b'));
    expect(resourceUrl(url('sig=a'))).toBe(url('sig=a'));
    expect(resourcePlace(`${PLACE}?sig=a`)).toBe(PLACE);
  });

  it('is known by its user and password without telling them', () => {
    const withUser = (user: string, query = '') =>
      resourceUrl(`https://${user}@Store.example/App.zip${query}`);
    expect(withUser('bot:SECRET')).toMatch(/^https:\/\/store\.example\/app\.zip\?\(token [0-9a-f]{8}\)$/);
    expect(withUser('bot:SECRET')).not.toBe(withUser('bot:OTHER'));
    expect(withUser('bot:SECRET', '?sig=a')).not.toBe(withUser('bot:OTHER', '?sig=a'));
    expect(withUser('bot:SECRET', '?(token 12345678)')).not.toContain('12345678');
    expect(resourceUrl(withUser('bot:SECRET'))).toBe(withUser('bot:SECRET'));
    expect(resourcePlace('https://bot:SECRET@store.example/app.zip?sig=a')).toBe(PLACE);
    expect(resourceUrl(`${PLACE}?mail=a@b.example`)).toBe(url('mail=a@b.example'));
  });
});

describe('what a URL finds among the resources that are listed (rules B11, C8)', () => {
  const old = listed(url('old'), { credentialExpiresAt: 1_000 });
  const renewed = listed(url('new'));

  it('is nothing of a place that is not listed: it is there for all', () => {
    expect(findResource([old], 'https://other.example/app.zip')).toBeUndefined();
  });

  it('is the credential of its own token: that another was given out mends no model that names the old one', () => {
    expect(findResource([old, renewed], url('old'))).toEqual(old);
    expect(findResource([renewed, old], url('old'))).toEqual(old);
    expect(findResource([old, renewed], url('new'))).toEqual(renewed);
  });

  it('is null for a token that nobody has given out', () => {
    expect(findResource([old, renewed], url('guessed'))).toBeNull();
    expect(findResource([renewed], url('old'))).toBeNull();
    expect(findResource([renewed], PLACE)).toBeNull();
    expect(findResource([listed(PLACE), renewed], url('guessed'))).toBeNull();
  });

  it('is what is listed for all where no tokens are', () => {
    const forAll = listed(PLACE, { credentialExpiresAt: 5_000 });
    expect(findResource([forAll], PLACE)).toEqual(forAll);
    expect(findResource([forAll], url('any'))).toEqual(forAll);
  });

  it('is gone for every token once it is gone for all', () => {
    const gone = listed(PLACE, { goneAt: 2_000 });
    expect(findResource([gone, renewed], url('new'))).toEqual({ ...renewed, goneAt: 2_000 });
  });
});
