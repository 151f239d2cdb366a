import { parser } from '@prometheus-io/lezer-promql';

/** A metric that an expression asks for, and the labels that it is asked by. */
export interface AskedMetric {
  name: string;
  labels: string[];
}

/** Grafana fills these in before Prometheus sees the expression. */
const INTERVALS = /\$__(rate_interval|interval|range)/g;

/**
 * The metrics that a PromQL expression asks for, in order, once for each place.
 * @throws Error that says where the expression is no PromQL
 */
export function metricsIn(expression: string): AskedMetric[] {
  const text = expression.replaceAll(INTERVALS, '5m');
  const metrics: AskedMetric[] = [];
  const textOf = ({ from, to }: { from: number; to: number }) => text.slice(from, to);
  parser.parse(text).iterate({
    enter: (node) => {
      if (node.type.isError)
        throw new Error(`no PromQL at "${text.slice(node.from, node.from + 40)}": ${text}`);
      if (node.name !== 'VectorSelector') return;
      const selector = node.node;
      const name = selector.getChild('Identifier');
      const labels = selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
      metrics.push({
        name: name === null ? '' : textOf(name),
        labels: labels.map((matcher) => textOf(matcher.getChild('LabelName') ?? matcher)),
      });
    },
  });
  return metrics;
}
