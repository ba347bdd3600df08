/**
 * Which file may import which. Imports run one way: `shared` imports nothing of ours, `agent` and
 * `cloud` import only `shared`; inside `cloud` the use cases know ports, and only the composition
 * roots know adapters and hosts. `scripts/check/imports.ts` runs these rules and
 * `scripts/check/imports.test.ts` plants a violation of each.
 */
const ours = '^(agent|cloud|demo|bench|test|scripts)/';
const testFile = '\\.test\\.ts$';
const adapter = '/(dynamo|s3|folder|https)-[^/]+\\.ts$';
const useCases =
  '^cloud/src/(http|auth|enroll|pull|queue|reading|registry|connection|session|reply|presence|object|offline)/';

/** What only a composition root may construct things from. */
const compositionRoot = '^cloud/src/((relay|main|index)\\.ts$|(cli|server|lambda)/)';

const rules = [
  {
    name: 'shared-imports-nothing-of-ours',
    comment: 'shared/ is the wire: both sides build on it. Move what it needs into it.',
    from: { path: '^shared/' },
    to: { path: ours },
  },
  {
    name: 'agent-imports-only-shared',
    comment: 'The agent and the relay meet on the wire only. What both need belongs to shared/.',
    from: { path: '^agent/' },
    to: { path: '^(cloud|demo|bench|test|scripts)/' },
  },
  {
    name: 'cloud-imports-only-shared',
    comment: 'The agent and the relay meet on the wire only. What both need belongs to shared/.',
    from: { path: '^cloud/' },
    to: { path: '^(agent|demo|bench|test|scripts)/' },
  },
  {
    name: 'use-cases-know-no-host',
    comment: 'A use case takes a port that it declares; a host (server/, lambda/, cli/) fills it.',
    from: { path: useCases, pathNot: testFile },
    to: { path: '^cloud/src/((server|lambda|cli)/|(relay|main|index)\\.ts$)' },
  },
  {
    name: 'use-cases-know-no-adapter',
    comment: 'Import the port; the composition root passes the adapter in.',
    from: { path: useCases, pathNot: [testFile, adapter] },
    to: { path: adapter },
  },
  {
    name: 'use-cases-know-no-transport',
    comment: 'Sockets, servers, threads and the AWS SDK stay in hosts and adapters.',
    from: { path: useCases, pathNot: [testFile, adapter] },
    to: {
      path: [
        '^(node:)?(http|http2|https|net|tls|worker_threads)$',
        'node_modules/(ws|@aws-sdk|@smithy|dynalite)/',
      ],
    },
  },
  {
    name: 'only-roots-know-adapters',
    comment:
      'Adapters are constructed in relay.ts, main.ts, cli/, server/ or lambda/, nowhere else.',
    from: { path: '^cloud/', pathNot: [testFile, adapter, compositionRoot, '^cloud/test/'] },
    to: { path: adapter },
  },
  {
    name: 'links-and-sources-know-no-service',
    comment:
      'How the agent is asked and kept running is not the business of its links, pulls and sources.',
    from: {
      path: '^agent/src/(config|identity|link|policy|pull|reply|source)/',
      pathNot: testFile,
    },
    to: { path: '^agent/src/(health|service|cli)/' },
  },
  {
    name: 'one-guard-for-reconnecting-websocket',
    comment: 'It has seven traps; agent/src/link/reconnecting-socket.ts guards them.',
    from: { pathNot: '^agent/src/link/reconnecting-socket(\\.test)?\\.ts$' },
    to: { path: 'node_modules/reconnecting-websocket/' },
  },
  {
    name: 'doctor-is-run-by-its-command',
    comment:
      'Doctor uses what the agent is made of; the agent must not come to rest on its doctor.',
    from: { path: '^agent/', pathNot: '^agent/src/(doctor/|cli/doctor-command\\.ts$)' },
    to: { path: '^agent/src/doctor/' },
  },
  {
    name: 'one-timer-by-node-cron',
    comment: 'It goes through every time of a gap; agent/src/schedule/cron-timer.ts guards it.',
    from: { path: '^agent/', pathNot: '^agent/src/schedule/cron-(timer|expression)\\.ts$' },
    to: { path: 'node_modules/node-cron/' },
  },
  {
    name: 'the-spool-has-a-thread-of-its-own',
    comment: 'A commit waits for the disk; pulls must not. Go through spool.ts.',
    from: {
      path: '^agent/src/',
      pathNot: [testFile, '^agent/src/spool/spool-(store|worker|trouble|thread)\\.ts$'],
    },
    to: { path: '^agent/src/spool/spool-(file|store)\\.ts$' },
  },
  {
    name: 'the-spool-knows-no-link',
    comment: 'reading/ takes from the spool and gives to links; neither knows the other.',
    from: { path: '^agent/src/(spool|schedule)/', pathNot: testFile },
    to: { path: '^agent/src/(link|reading)/' },
  },
  {
    name: 'nothing-imports-a-test',
    comment: 'What tests share lives in a file of its own, named for what it is.',
    from: {},
    to: { path: testFile },
  },
  {
    name: 'programs-leave-test-tools-alone',
    comment: 'Only tests, contract suites and test/ use vitest and fast-check.',
    from: {
      path: '^(shared|agent|cloud)/src/',
      pathNot: [testFile, 'contract[^/]*\\.ts$', '/arbitrary[^/]*\\.ts$'],
    },
    to: { path: 'node_modules/(vitest|fast-check)/' },
  },
  {
    name: 'no-cycles',
    comment: 'Let one of the two declare what it needs of the other (a port), or join them.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'every-import-resolves',
    comment: 'The file or package is missing, or package.json exports do not name it.',
    from: {},
    to: { couldNotResolve: true },
  },
];

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: rules.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^[^/]+/(dist|coverage|node_modules/\\.cache)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.cjs', '.js', '.json'],
    },
  },
};
