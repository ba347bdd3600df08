import { resolve } from 'node:path';
import { askSocket } from '../health/socket-question.ts';
import { type CliHost, exitCodes } from './cli-host.ts';
import { asFields, statusText } from './status-text.ts';

/** Of `status`, as the Linux Standard Base has them for init scripts; from 150 on they are a program's own. */
const statusCodes = {
  linked: exitCodes.ok,
  /** No agent runs here with this configuration. */
  notRunning: 3,
  /** It could not be found out. */
  unknown: 4,
  /** The agent runs, and has no link. */
  notLinked: 150,
} as const;

/** Asks the agent that runs here. Resolves with the exit code. */
export async function status(
  socketPath: string,
  options: { readonly json?: boolean },
  host: CliHost,
): Promise<number> {
  const path = resolve(host.workingFolder, socketPath);
  let answer: unknown;
  try {
    answer = await askSocket(path, '/status');
  } catch (error) {
    return unanswered(path, error, options, host);
  }
  const snapshot = asFields(answer);
  host.writeOut(
    options.json ? `${JSON.stringify(answer, undefined, 2)}\n` : statusText(snapshot, Date.now()),
  );
  return asFields(snapshot['link'])['linked'] === true ? statusCodes.linked : statusCodes.notLinked;
}

/** Nothing listens there, or nothing is there. */
const nobody: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR']);

const cures: Readonly<Record<string, string>> = {
  EACCES: 'run this as root, or as the user that the agent runs as',
  EPERM: 'run this as root, or as the user that the agent runs as',
  ETIMEDOUT:
    'the agent is there and does not answer: its log says what it last did; if this goes on, restart it',
};

function unanswered(
  path: string,
  error: unknown,
  { json }: { readonly json?: boolean },
  host: CliHost,
): number {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const isNobody = nobody.has(code);
  const text = isNobody
    ? `no agent runs here with this configuration (nobody answers at ${path}).`
    : `the agent cannot be asked at ${path}: ${message}. ${cures[code] ?? 'See docs/agent.md, "Status".'}`;
  if (json)
    host.writeOut(`${JSON.stringify({ running: isNobody ? false : null, detail: text })}\n`);
  host.writeError(`pullwire-agent: ${text}\n`);
  return isNobody ? statusCodes.notRunning : statusCodes.unknown;
}
