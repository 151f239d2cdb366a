import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Instant } from '../../src/domain/clock.ts';
import { judgeHealth, steadilyHealthyAt } from '../../src/domain/health.ts';
import type { HealthyStretch, Instance } from '../../src/domain/scale-set.ts';
import type { HealthSource } from '../../src/fleet/health-signal.ts';
import { probesOf } from '../../src/fleet/load-balancer.ts';
import { parseScaleSetModel } from '../../src/fleet/model.ts';
import { runningState } from '../../src/fleet/simulated/build-instances.ts';
import { decisive, signalStretches, without, type Span } from '../../src/fleet/simulated/signal.ts';
import { instanceAt, type Flapping, type Outage } from '../../src/fleet/simulated/view.ts';
import { TARGET, testSetId } from '../support/fleet.ts';

const END = 400;
const up = { from: 0, to: Infinity };
const stretches = (answering: Span[], threshold = 1, at = END) =>
  signalStretches({ interval: 10, threshold }, up, answering, at).map(({ from, to }) => [from, to]);

describe('a health signal, read every 10 s', () => {
  it('sees the application at the next reading', () => {
    expect(stretches([{ from: 11, to: Infinity }])).toEqual([[20, null]]);
    expect(stretches([{ from: 20, to: Infinity }])).toEqual([[20, null]]);
    expect(stretches([{ from: 20, to: 41 }])).toEqual([[20, 50]]);
    expect(stretches([{ from: 20, to: 40 }])).toEqual([[20, 40]]);
  });

  it('does not see what happens between two readings', () => {
    expect(stretches([{ from: 11, to: 20 }])).toEqual([]);
    const blink = [
      { from: 0, to: 31 },
      { from: 39, to: Infinity },
    ];
    expect(stretches(blink)).toEqual([[0, null]]);
  });

  it('changes its state by so many equal readings', () => {
    expect(stretches([{ from: 20, to: Infinity }], 3)).toEqual([[40, null]]);
    expect(stretches([{ from: 20, to: 39 }], 3)).toEqual([]);
    expect(stretches([{ from: 20, to: 61 }], 3)).toEqual([[40, 90]]);
    // Two readings fail, and the third is well again.
    const stumble = [
      { from: 0, to: 61 },
      { from: 90, to: Infinity },
    ];
    expect(stretches(stumble, 3)).toEqual([[20, null]]);
  });

  it('knows nothing of what comes after the look', () => {
    expect(stretches([{ from: 20, to: 61 }], 1, 19)).toEqual([]);
    expect(stretches([{ from: 20, to: 61 }], 1, 69)).toEqual([[20, null]]);
    expect(stretches([{ from: 20, to: 61 }], 1, 70)).toEqual([[20, 70]]);
  });

  it('ends with its VM, and begins anew with it', () => {
    const source = { interval: 10, threshold: 2 };
    expect(signalStretches(source, { from: 0, to: 55 }, [{ from: 0, to: 55 }], END)).toEqual([
      { from: 10, to: 55 },
    ]);
    expect(signalStretches(source, { from: 103, to: Infinity }, [{ from: 110, to: Infinity }], END)).toEqual([
      { from: 123, to: null },
    ]);
  });

  it('is what a reader would say that asks at every interval', () => {
    const spans = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 })), { maxLength: 8 })
      .map((pairs) => {
        let now = 0;
        return pairs.map(([silent, well]) => {
          const from = now + silent;
          now = from + well;
          return { from, to: now };
        });
      });
    fc.assert(
      fc.property(spans, fc.integer({ min: 1, max: 4 }), (answering, threshold) => {
        expect(stretches(answering, threshold, 2_000)).toEqual(byReading(answering, threshold, 2_000));
      }),
    );
  });
});

/** The same, reading by reading. */
function byReading(answering: readonly Span[], threshold: number, until: Instant): (number | null)[][] {
  const found: (number | null)[][] = [];
  let [healthy, equal] = [false, 0];
  for (let at = 0; at <= until; at += 10) {
    const well = answering.some(({ from, to }) => from <= at && at < to);
    equal = well === healthy ? 0 : equal + 1;
    if (equal < threshold) continue;
    [healthy, equal] = [well, 0];
    if (well) found.push([at, null]);
    else (found.at(-1) as (number | null)[])[1] = at;
  }
  return found;
}

describe('what is kept of the healthy stretches', () => {
  it('decides the same for every number of readings, and tells the last', () => {
    const list = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 90 })), { maxLength: 20 })
      .map((pairs) => {
        let now = 0;
        return pairs.map(([gap, length], i): HealthyStretch => {
          const from = now + gap;
          now = from + length;
          return { from, to: i === pairs.length - 1 && length % 2 === 0 ? null : now };
        });
      });
    fc.assert(
      fc.property(list, (all) => {
        const kept = decisive(all);
        expect(kept.at(-1)).toEqual(all.at(-1));
        for (let readings = 1; readings <= 12; readings++) {
          const moment = (healthyStretches: HealthyStretch[]) =>
            steadilyHealthyAt({ healthyStretches, readingInterval: 10 }, readings);
          expect(moment(kept)).toBe(moment(all));
        }
      }),
    );
  });

  it('is little of a signal that flaps all day', () => {
    const flaps = Array.from({ length: 5_000 }, (_, i) => ({ from: i * 20, to: i * 20 + 10 }));
    expect(decisive(flaps)).toEqual([flaps[0], flaps.at(-1)]);
  });
});

describe('a time without holes', () => {
  it('leaves out what overlaps, touches or lies outside', () => {
    const holes = [
      { from: -5, to: 0 },
      { from: 10, to: 30 },
      { from: 20, to: 25 },
      { from: 30, to: 40 },
      { from: 90, to: 200 },
      { from: 300, to: 400 },
    ];
    expect(without({ from: 0, to: 100 }, holes)).toEqual([
      { from: 0, to: 10 },
      { from: 40, to: 90 },
    ]);
  });
});

const scaleSet = parseScaleSetModel(
  {
    id: testSetId('web'),
    location: 'eastus',
    properties: { virtualMachineProfile: { storageProfile: { imageReference: { id: '/image' } } } },
  },
  { apiVersion: '2024-11-01', at: 0 },
);
const place = { instanceId: '0', zone: null, updateDomain: 0, faultDomain: 0 };

interface Fate {
  source: HealthSource;
  healthyFrom: Instant | null;
  outages: Outage[];
  flappings: Flapping[];
}

/** An instance that was configured at 1,000. */
function seen(fate: Fate, at: Instant): Instance {
  const state = { ...runningState(scaleSet, '0', TARGET, 1_000), healthyFrom: fate.healthyFrom };
  return instanceAt({ place, scaleSet, ...fate, state }, at);
}

const fates: fc.Arbitrary<Fate> = fc.record({
  source: fc.record({
    interval: fc.integer({ min: 5, max: 60 }),
    threshold: fc.integer({ min: 1, max: 4 }),
    silence: fc.constantFrom('unhealthy' as const, 'unknown' as const),
    gracePeriod: fc.integer({ min: 0, max: 200 }),
  }),
  healthyFrom: fc.option(fc.integer({ min: 1_000, max: 1_400 })),
  outages: fc
    .array(
      fc
        .tuple(
          fc.integer({ min: 900, max: 2_000 }),
          fc.integer({ min: 1, max: 200 }),
          fc.integer({ min: 0, max: 90 }),
        )
        .map(([from, length, recovery]) => ({ from, to: from + length, recovery })),
      { maxLength: 3 },
    )
    .map((outages) => outages.toSorted((a, b) => a.from - b.from)),
  flappings: fc.array(
    fc.record({
      from: fc.option(fc.integer({ min: 1_000, max: 1_500 })),
      to: fc.option(fc.integer({ min: 1_500, max: 2_500 })),
      healthy: fc.integer({ min: 5, max: 200 }),
      unhealthy: fc.integer({ min: 5, max: 200 }),
    }),
    { maxLength: 2 },
  ),
});

describe('the verdict on an upgraded instance', () => {
  it('does not depend on when the looks happen (B5)', () => {
    const looks = fc.array(fc.integer({ min: 1_000, max: 3_000 }), { minLength: 1, maxLength: 12 });
    let [healthy, timedOut] = [0, 0];
    fc.assert(
      fc.property(fates, looks, fc.integer({ min: 1, max: 5 }), (fate, moments, readings) => {
        const verdictAt = (at: Instant) => {
          const instance = seen(fate, at);
          return judgeHealth(1_000, steadilyHealthyAt(instance, readings), 300, at);
        };
        const final = verdictAt(100_000);
        if (final.kind === 'healthy') healthy++;
        else timedOut++;
        for (const at of moments) {
          const verdict = verdictAt(at);
          if (verdict.kind === 'waiting') expect(at).toBeLessThan(final.kind === 'waiting' ? 0 : final.at);
          else expect(verdict).toEqual(final);
        }
      }),
      { numRuns: 500 },
    );
    expect(Math.min(healthy, timedOut)).toBeGreaterThan(50);
  });

  it('says healthy exactly while a stretch lasts and the VM runs', () => {
    fc.assert(
      fc.property(fates, fc.integer({ min: 1_000, max: 3_000 }), (fate, at) => {
        const instance = seen(fate, at);
        const last = instance.healthyStretches.at(-1);
        expect(instance.applicationHealth === 'healthy').toBe(last !== undefined && last.to === null);
        const down = fate.outages.some(({ from, to }) => from <= at && at < to);
        if (down) expect(instance).toMatchObject({ powerState: 'stopped', applicationHealth: 'unknown' });
      }),
    );
  });

  it('is soon told of an application that has flapped for a month', () => {
    const month = 30 * 86_400_000;
    const flapping = { from: null, to: null, healthy: 500, unhealthy: 500 };
    const source = { interval: 5_000, threshold: 1, silence: 'unhealthy' as const, gracePeriod: 0 };
    const instance = seen({ source, healthyFrom: 1_000, outages: [], flappings: [flapping] }, month);
    expect(instance.healthyStretches.length).toBeLessThanOrEqual(3);
  });
});

describe('the probes of a load balancer', () => {
  const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/loadBalancers/lb';

  it('are read from wire shape, by the newer of two names', () => {
    const properties = { protocol: 'Https', intervalInSeconds: 30, numberOfProbes: 2, probeThreshold: 4 };
    const balancer = { id, sku: { name: 'Standard' }, properties: { probes: [{ name: 'app', properties }] } };
    expect(probesOf(balancer)).toEqual([
      {
        id: `${id}/probes/app`,
        protocol: 'https',
        interval: 30_000,
        threshold: 4,
        loadBalancerSku: 'Standard',
      },
    ]);
  });

  it('are read as the az CLI lists them, with what Azure takes where nothing is said', () => {
    const probes = [{ id: '/p', protocol: 'Tcp', numberOfProbes: 2 }, { id: '/q' }, 'no probe'];
    expect(probesOf({ id, probes })).toEqual([
      { id: '/p', protocol: 'tcp', interval: 15_000, threshold: 2, loadBalancerSku: 'Basic' },
      { id: '/q', protocol: 'tcp', interval: 15_000, threshold: 1, loadBalancerSku: 'Basic' },
    ]);
    expect(probesOf({ id })).toEqual([]);
  });
});
