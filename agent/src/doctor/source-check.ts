import { parseHttpTarget } from '../source/http-target.ts';
import { SourceOpenError } from '../source/open-source.ts';
import type { SourceConfig } from '../source/source-config.ts';
import type { Check, Finding } from './check.ts';
import { commandFinding } from './command-finding.ts';
import { fileFinding } from './file-finding.ts';
import { httpFinding } from './http-finding.ts';
import type { Patient } from './patient.ts';

/** Each source's own end, as a pull would find it. */
export const sourceCheck: Check = {
  component: 'source',
  needs: ['config'],
  limitMs: 30_000,
  target: (patient) => (patient.hasConfig ? [...patient.config.sources.keys()].join(', ') : 'all'),
  run: async (patient, signal) => {
    const { sources } = patient.config;
    if (sources.size === 0) return [none];
    return Promise.all([...sources].map(([name, config]) => looked(name, config, patient, signal)));
  },
};

const none: Finding = {
  target: 'none',
  state: 'warning',
  details: 'no source is configured: nothing can be pulled from this device',
  advice: 'add one to sources (docs/sources.md)',
};

async function looked(
  name: string,
  config: SourceConfig,
  patient: Patient,
  signal: AbortSignal,
): Promise<Finding> {
  const target = `${name} (${whereabouts(config)})`;
  try {
    const finding = await findingOf(name, config, patient, signal);
    return { target, ...finding };
  } catch (error) {
    if (!(error instanceof SourceOpenError)) throw error;
    const advice = 'set or correct it: the agent does not start without';
    return { target, state: 'failed', details: error.message, advice };
  }
}

function findingOf(name: string, config: SourceConfig, { deps }: Patient, signal: AbortSignal) {
  switch (config.kind) {
    case 'http':
      return httpFinding(name, config, deps, signal);
    case 'file':
      return fileFinding(config);
    case 'command':
      return commandFinding(name, config, deps);
  }
}

function whereabouts(config: SourceConfig): string {
  switch (config.kind) {
    case 'http':
      return `http ${parseHttpTarget(config.url).label}`;
    case 'file':
      return `file ${config.root}`;
    case 'command':
      return `command ${config.argv[0]}`;
  }
}
