import { describe, expect, it } from 'vitest';
import type { ImageVersion } from '../../src/domain/image.ts';
import { lastKnownGood, type EarlierImage } from '../../src/domain/way-back.ts';

const v = (version: string): ImageVersion => ({ image: { kind: 'gallery', id: '/images/web' }, version });

function change(from: string | null, to: string, wasHealthy = true, instanceId = '0'): EarlierImage {
  return { instanceId, attemptId: to, from: from === null ? null : v(from), to: v(to), wasHealthy };
}

describe('the last known good image of an instance', () => {
  it('is what it ran before it got the version that is undone', () => {
    const earlier = [change('2.0.0', '3.0.0'), change('1.0.0', '2.0.0')];
    expect(lastKnownGood(earlier, '0', v('3.0.0'))).toEqual(v('2.0.0'));
    expect(lastKnownGood(earlier, '0', v('2.0.0'))).toEqual(v('1.0.0'));
  });

  it('is an older one, if it was not healthy on that', () => {
    const earlier = [change('2.0.0', '3.0.0', false), change('1.0.0', '2.0.0')];
    expect(lastKnownGood(earlier, '0', v('3.0.0'))).toEqual(v('1.0.0'));
  });

  it('is the one before, healthy or not, if nothing better is known', () => {
    expect(lastKnownGood([change('2.0.0', '3.0.0', false)], '0', v('3.0.0'))).toEqual(v('2.0.0'));
  });

  it('is never the version that is undone, which a second attempt may have started from', () => {
    const earlier = [change('3.0.0', '3.0.0'), change('2.0.0', '3.0.0')];
    expect(lastKnownGood(earlier, '0', v('3.0.0'))).toEqual(v('2.0.0'));
  });

  it('is not known of an instance that began on the version, nor of another instance', () => {
    expect(lastKnownGood([change('2.0.0', '3.0.0')], '1', v('3.0.0'))).toBeNull();
    expect(lastKnownGood([change('1.0.0', '2.0.0')], '0', v('3.0.0'))).toBeNull();
    expect(lastKnownGood([change(null, '3.0.0')], '0', v('3.0.0'))).toBeNull();
  });
});
