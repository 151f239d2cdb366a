import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareVersions,
  imageKey,
  imageLabel,
  isVersion,
  latestVersion,
  sameImageVersion,
  type Image,
} from '../../src/domain/image.ts';

const jammy: Image = { kind: 'platform', publisher: 'Canonical', offer: 'jammy', sku: '22_04-LTS' };
const gallery: Image = {
  kind: 'gallery',
  id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/Ours/images/Web',
};

describe('compareVersions (rule A5)', () => {
  it.each([
    ['1.10.0', '1.9.9', 1],
    ['1.2', '1.2.0', 0],
    ['01.2.3', '1.2.3', 0],
    ['2016.127.20180613', '2016.127.20180614', -1],
    ['22.04.202601010', '22.04.99999999', 1],
    // Beyond what a double can tell apart.
    ['1.0.9007199254740993', '1.0.9007199254740992', 1],
  ])('%s against %s: %i', (a, b, expected) => {
    expect(Math.sign(compareVersions(a, b))).toBe(expected);
    expect(Math.sign(compareVersions(b, a))).toBe(0 - expected);
  });

  it('is an order: the latest is above or equal to all, whatever the order they come in', () => {
    const version = fc.array(fc.nat(12), { minLength: 2, maxLength: 4 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(fc.array(version, { minLength: 1, maxLength: 10 }), (versions) => {
        const latest = latestVersion(versions) as string;
        expect(versions).toContain(latest);
        expect(versions.filter((each) => compareVersions(each, latest) > 0)).toEqual([]);
        expect(compareVersions(latestVersion(versions.toReversed()) as string, latest)).toBe(0);
      }),
    );
  });

  it('knows no latest of none', () => {
    expect(latestVersion([])).toBeUndefined();
  });
});

describe('images', () => {
  it('are known by a key that ignores case', () => {
    expect(imageKey({ ...jammy, publisher: 'CANONICAL' })).toBe('canonical:jammy:22_04-lts');
    expect(imageKey({ ...gallery, id: gallery.id.toUpperCase() })).toBe(imageKey(gallery));
    expect(imageKey(jammy)).not.toBe(imageKey({ ...jammy, sku: '20_04-LTS' }));
  });

  it('have labels for people', () => {
    expect(imageLabel(jammy)).toBe('Canonical:jammy:22_04-LTS');
    expect(imageLabel(gallery)).toBe('Ours/images/Web');
  });
});

describe('sameImageVersion (rule B10)', () => {
  const version = { image: jammy, version: '1.2.0' };

  it.each([
    ['the same', version, true],
    ['another case', { image: { ...jammy, offer: 'JAMMY' }, version: '1.2.0' }, true],
    ['the same number in other words', { image: jammy, version: '1.2' }, true],
    ['another version', { image: jammy, version: '1.2.1' }, false],
    ['another publisher', { image: { ...jammy, publisher: 'Contoso' }, version: '1.2.0' }, false],
    ['another offer', { image: { ...jammy, offer: 'focal' }, version: '1.2.0' }, false],
    ['another SKU', { image: { ...jammy, sku: '20_04-LTS' }, version: '1.2.0' }, false],
    ['a gallery image', { image: gallery, version: '1.2.0' }, false],
  ])('%s', (_, other, expected) => {
    expect(sameImageVersion(version, other)).toBe(expected);
  });
});

describe('isVersion', () => {
  it.each([
    ['1.2.3', true],
    ['22.04.202601010', true],
    ['1.2', true],
    ['1', false],
    ['latest', false],
    ['1.2.', false],
    ['1.2.3-beta', false],
    ['1.2.3.4.5.6.7', false],
    [`1.${'9'.repeat(70)}`, false],
  ])('%s: %s', (text, expected) => {
    expect(isVersion(text)).toBe(expected);
  });
});
