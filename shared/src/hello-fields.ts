import type { Draft } from './envelope.ts';
import {
  checkBudget,
  checkCount,
  checkList,
  checkName,
  checkObject,
  checkPattern,
  checkText,
  type Fields,
  valueLimit,
} from './field.ts';
import { labelLimit, sourceLimit } from './limit.ts';
import type { Hello, SourceInfo } from './message.ts';
import {
  devicePattern,
  instancePattern,
  methodPattern,
  runPattern,
  sourcePattern,
} from './name.ts';
import { refuse } from './wire-error.ts';

const methodLimit = 32;
const featureLimit = 32;

export function readHello(fields: Fields): Hello {
  const hello: Draft<Hello> = {
    action: 'hello',
    version: checkCount(fields.version, 'version'),
    agent: checkText(fields.agent, 'agent', valueLimit),
    device: checkPattern(fields.device, 'device', devicePattern),
    instance: checkPattern(fields.instance, 'instance', instancePattern),
    sources: checkList(fields.sources, 'sources', sourceLimit).map(readSource),
    labels: readLabels(fields.labels),
    features: readFeatures(fields.features),
  };
  if (fields.heartbeatMs !== undefined) {
    hello.heartbeatMs = checkBudget(fields.heartbeatMs, 'heartbeatMs');
  }
  if (fields.run !== undefined) hello.run = checkPattern(fields.run, 'run', runPattern);
  return hello;
}

/** Unknown features pass: the receiver counts them. */
export function readFeatures(value: unknown): readonly string[] {
  return checkList(value, 'features', featureLimit).map((feature, i) =>
    checkName(feature, `features[${i}]`),
  );
}

function readSource(value: unknown, index: number): SourceInfo {
  const field = `sources[${index}]`;
  const source = checkObject(value, field);
  return {
    name: checkPattern(source.name, `${field}.name`, sourcePattern),
    kind: checkName(source.kind, `${field}.kind`),
    methods: checkList(source.methods, `${field}.methods`, methodLimit).map((method, i) =>
      checkPattern(method, `${field}.methods[${i}]`, methodPattern),
    ),
  };
}

function readLabels(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(checkObject(value, 'labels'));
  if (entries.length > labelLimit) refuse('labels', `at most ${labelLimit} entries`);
  const labels: Record<string, string> = {};
  for (const [key, text] of entries) {
    // Assigning it would set the prototype. It is an unknown field like any other: ignored.
    if (key === '__proto__') continue;
    checkName(key, 'label name');
    labels[key] = checkText(text, 'label value', valueLimit);
  }
  return labels;
}
