import { ATTEMPT_KINDS } from '../../domain/attempt-kinds.ts';
import { humanDuration } from '../../domain/clock.ts';
import type {
  Advice,
  ExplainedInstance,
  ExplainedReason,
  ExplainedSet,
  ExplainedWait,
  Explanation,
  InstanceGroup,
} from '../index.ts';
import type { TreeOptions } from '../view/index.ts';
import { paint, span, type Style } from '../view/spans.ts';
import { batchText, names, outcomeText } from '../view/words.ts';
import { amount, facts, momentText, section, sections, time, wrapped } from './text.ts';

const MOST_IDS = 10;

const STYLES: Record<Explanation['verdict']['kind'], Style> = {
  upgraded: 'good',
  leftAlone: 'good',
  upgrading: 'busy',
  waiting: 'wait',
  stopped: 'bad',
  notUpgraded: 'bad',
};

const WHY: Record<Explanation['verdict']['kind'], string> = {
  upgraded: 'Against its next upgrade:',
  leftAlone: 'Against its next upgrade:',
  upgrading: 'It stops for:',
  waiting: 'Why:',
  stopped: 'Why:',
  notUpgraded: 'Why:',
};

/** An explanation for people: what it is about, the verdict, why, what is waited for, the instances, and what would help. */
export function explainText(explanation: Explanation, view: TreeOptions): string {
  const { columns } = view;
  const { reasons, warnings, waitsFor, instances, newer, advice, now } = explanation;
  const one = explanation.instance;
  return sections(
    wrappedFacts(subject(explanation), columns),
    verdict(explanation, view),
    section(WHY[explanation.verdict.kind], reasons.map((reason) => reasonText(reason, columns)).join('\n')),
    section('Warnings:', warnings.map((warning) => reasonText(warning, columns)).join('\n')),
    section('Waits for:', waitsFor.map((wait) => waitText(wait, now, columns)).join('\n')),
    section('Its workflow:', workflowText(explanation, columns)),
    one === undefined
      ? section(
          `Instances: ${instances.total}, of which ${instances.healthy} healthy`,
          instances.groups.map((group) => groupText(group, columns)).join('\n'),
        )
      : '',
    one === undefined
      ? section('Unhealthy:', instances.unhealthy.map((group) => groupText(group, columns)).join('\n'))
      : '',
    section('Newer versions:', newer.map(({ message }) => wrapped(`  ${message}`, columns, 2)).join('\n')),
    section('What would change that:', advice.map((one) => adviceText(one, columns)).join('\n')),
  );
}

function adviceText({ what, command }: Advice, columns: number): string {
  return [wrapped(`  ${what}`, columns, 4), ...(command === null ? [] : [`    ${command}`])].join('\n');
}

type Pairs = (readonly [string, string | undefined])[];

function wrappedFacts(pairs: Pairs, columns: number): string {
  const widest = Math.max(...pairs.map(([name]) => name.length)) + 2;
  return facts(
    pairs.map(([name, value]) => [
      name,
      value === undefined ? undefined : wrapped(' '.repeat(widest) + value, columns, widest).trimStart(),
    ]),
  );
}

function subject({ scaleSet, rollout, attempt, instance, instances }: Explanation): Pairs {
  const { name, region, image, imageVersion, target, automatic, mode } = scaleSet;
  const other = target.image === image ? '' : `${target.image} `;
  return [
    ['Scale set', `${name} in ${region}, resource group ${groupOf(scaleSet.id)}`],
    ['Image', `${image}, ${imageVersion}`],
    ['Version', `${other}${target.version} (${SOURCES[target.from]})`],
    ['Runs', runsText(scaleSet, instances.total)],
    ['Upgrades', `mode ${mode}, automatic OS upgrades ${automatic ? 'on' : 'off'}; ${policyText(scaleSet)}`],
    ['Rollout', rollout === null ? undefined : rolloutText(rollout)],
    ['Attempt', attempt === null ? undefined : attemptText(attempt)],
    ...(instance === undefined ? [] : instanceFacts(instance)),
  ];
}

const SOURCES: Record<ExplainedSet['target']['from'], string> = {
  asked: 'as asked for',
  underWay: 'brought to it now',
  released: 'the newest that is rolled out to its region',
  offered: 'the newest that is offered; none is rolled out to its region',
  installed: 'the newest that it runs',
};

function groupOf(id: string): string {
  return /\/resourceGroups\/([^/]+)\//i.exec(id)?.[1] ?? 'unknown';
}

/** `9 of 12 on 22.04.202511010, 3 on 22.04.202512050` */
function runsText({ runs, image }: ExplainedSet, total: number): string {
  if (total === 0) return 'nothing: it has no instances';
  const labels = runs.map(({ image: own, version, instances }, i) => {
    const size = i === 0 ? `${instances} of ${total}` : String(instances);
    return `${size} on ${version === null ? 'no OS disk' : `${own === image ? '' : `${own} `}${version}`}`;
  });
  return names(labels, 5);
}

function policyText({ policy, restoresOnFailure }: ExplainedSet): string {
  const { maxBatchInstancePercent, maxUnhealthyInstancePercent, maxUnhealthyUpgradedInstancePercent } =
    policy;
  const { pauseTimeBetweenBatches: pause, enableCrossZoneUpgrade, prioritizeUnhealthyInstances } = policy;
  return [
    `batches of ${maxBatchInstancePercent} %`,
    `stops above ${maxUnhealthyInstancePercent} % unhealthy, or ${maxUnhealthyUpgradedInstancePercent} % of those upgraded`,
    ...(pause > 0 ? [`${humanDuration(pause)} between batches`] : []),
    ...(enableCrossZoneUpgrade ? ['across zones'] : []),
    ...(prioritizeUnhealthyInstances ? ['unhealthy ones first'] : []),
    ...(restoresOnFailure ? [] : ['no restores']),
  ].join(', ');
}

function rolloutText({ id, status, phase, reason }: NonNullable<Explanation['rollout']>): string {
  const where = phase === null ? '' : `, its region in phase ${phase.number} of ${phase.of} (${phase.name})`;
  return `${id}, ${status}${where}${reason === null ? '' : `. ${reason.message}`}`;
}

function attemptText(attempt: NonNullable<Explanation['attempt']>): string {
  const { number, kind, version, status, who, startedAt, endedAt, done, total, reason } = attempt;
  const code = reason === null ? '' : ` (${reason.code})`;
  const how = endedAt === null ? 'under way' : `${status}${code} at ${time(endedAt)}`;
  return `${number}: ${ATTEMPT_KINDS[kind].name} to ${version} by ${who} since ${time(startedAt)}, ${done} of ${total} done, ${how}`;
}

function instanceFacts({
  instanceId,
  zone,
  updateDomain,
  version,
  problems,
  lastTry,
  turn,
}: ExplainedInstance): Pairs {
  const place = [
    ...(zone === null ? [] : [`zone ${zone}`]),
    ...(updateDomain === null ? [] : [`update domain ${updateDomain}`]),
  ];
  const tried =
    lastTry &&
    (lastTry.outcome === null
      ? 'under way'
      : lastTry.outcome === 'upgraded'
        ? 'upgraded'
        : outcomeText({ outcome: lastTry.outcome, error: lastTry.error }));
  return [
    ['Instance', [`${instanceId}${place.length > 0 ? ':' : ''}`, place.join(', ')].join(' ').trim()],
    ['Its disk', version ?? 'none at the moment'],
    ['Its health', problems.length === 0 ? 'healthy' : problems.map(({ message }) => message).join(' ')],
    ['Its turn', turn === null ? undefined : `${batchText(turn)}, with ${amount(turn.size, 'instance')}`],
    [
      'Last try',
      lastTry === null ? undefined : `attempt ${lastTry.attempt}, batch ${lastTry.batch}: ${tried}`,
    ],
  ];
}

function verdict(
  { verdict: { kind, text }, scaleSet: { name }, instance }: Explanation,
  view: TreeOptions,
): string {
  const said =
    instance === undefined
      ? `${name} ${text}.`
      : `${name}/${instance.instanceId} is ${instance.text}. Its scale set ${text}.`;
  return wrapped(said, view.columns)
    .split('\n')
    .map((line) => paint([span(line, STYLES[kind])], view.columns, view.color))
    .join('\n');
}

/** The rule and the code; below them what is the case, and what to do. */
function reasonText({ code, rule, message, fix }: ExplainedReason, columns: number): string {
  return [
    head(rule, code),
    wrapped(`      ${message}`, columns, 6),
    wrapped(`      -> ${fix}`, columns, 9),
  ].join('\n');
}

function head(rule: string, text: string): string {
  return `  ${(rule || '-').padEnd(3)} ${text}`;
}

function waitText(
  { rule, where, what, since, until, behind }: ExplainedWait,
  now: number,
  columns: number,
): string {
  const moments = [
    ...(since === null ? [] : [`since ${momentText(since, now)}`]),
    ...(until === null ? [] : [`until ${momentText(until, now)}`]),
  ];
  const queue = behind.map(({ name, holds, since: from, workflowId }) => {
    const has = holds === null ? 'has asked earlier' : holds === name ? 'has VMs upgrading' : `has ${holds}`;
    return `${name} ${has}, since ${momentText(from, now)} (${workflowId})`;
  });
  return [
    wrapped(head(rule, `${where}: ${what}`), columns, 6),
    ...(moments.length > 0 ? [`      ${moments.join(', ')}`] : []),
    ...queue.map((line) => wrapped(`      ${line}`, columns, 8)),
  ].join('\n');
}

function workflowText({ temporal, now }: Explanation, columns: number): string {
  if (temporal.kind === 'notAsked') return '';
  if (temporal.kind === 'unreachable')
    return wrapped(`  could not be asked what it does at the moment: ${temporal.message}`, columns, 2);
  const { workflowId, state, doing, waitingFor } = temporal;
  const next = waitingFor?.until ? `, looks again by ${momentText(waitingFor.until, now)}` : '';
  const said =
    doing === null
      ? state
      : `${doing.split('\n')[0]}${waitingFor === null ? '' : `; waits for ${waitingFor.what}${next}`}`;
  return wrapped(`  ${workflowId}: ${said}`, columns, 4);
}

/** `  3  protected by its owner, and never touched: 3, 7, 9` */
function groupText({ instanceIds, text, rule }: InstanceGroup, columns: number): string {
  const size = String(instanceIds.length).padStart(5);
  const said = `${text.replace(/\.$/, '')}${rule === '' ? '' : ` (${rule})`}`;
  return wrapped(`${size}  ${said}: ${names(instanceIds, MOST_IDS)}`, columns, 7);
}
