import type { Draft } from './envelope.ts';
import {
  checkBudget,
  checkCount,
  checkObject,
  checkText,
  type Fields,
  valueLimit,
} from './field.ts';
import { readFeatures } from './hello-fields.ts';
import type { HeartbeatTerms, Limits, Welcome } from './message.ts';

export function readWelcome(fields: Fields): Welcome {
  const welcome: Draft<Welcome> = {
    action: 'welcome',
    version: checkCount(fields.version, 'version'),
    relay: checkText(fields.relay, 'relay', valueLimit),
    limits: readLimits(fields.limits),
    heartbeat: readHeartbeat(fields.heartbeat),
    features: readFeatures(fields.features),
  };
  if (fields.endOfLifeMs !== undefined) {
    welcome.endOfLifeMs = checkBudget(fields.endOfLifeMs, 'endOfLifeMs');
  }
  return welcome;
}

function readLimits(value: unknown): Limits {
  const limits = checkObject(value, 'limits');
  return {
    frameBytes: checkCount(limits.frameBytes, 'limits.frameBytes'),
    bodyBytes: checkCount(limits.bodyBytes, 'limits.bodyBytes'),
    headBytes: checkCount(limits.headBytes, 'limits.headBytes'),
    pulls: checkCount(limits.pulls, 'limits.pulls'),
  };
}

function readHeartbeat(value: unknown): HeartbeatTerms {
  const heartbeat = checkObject(value, 'heartbeat');
  const terms: Draft<HeartbeatTerms> = {
    intervalMs: checkBudget(heartbeat.intervalMs, 'heartbeat.intervalMs'),
    timeoutMs: checkBudget(heartbeat.timeoutMs, 'heartbeat.timeoutMs'),
  };
  if (heartbeat.maxIntervalMs !== undefined) {
    terms.maxIntervalMs = checkBudget(heartbeat.maxIntervalMs, 'heartbeat.maxIntervalMs');
  }
  return terms;
}
