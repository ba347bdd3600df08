import { builtinModules } from 'node:module';
import type { OnResolveArgs, Plugin, PluginBuild } from 'esbuild';

/**
 * Keeps out of a function's bundle what a cold start would read, compile or load for nothing. Milliseconds are those of
 * a machine on which an empty function takes 45 (bench/src/lambda/cold-start.ts measures).
 */
export const slim: Plugin = {
  name: 'slim',
  setup(build) {
    leaveOut(build);
    takeBuiltins(build);
  },
};

const missing = `throw new Error('not in this bundle')`;

/** What a package asks for and a function never uses, with what it gets. */
const leftOut: readonly [module: RegExp, importer: RegExp, contents: string][] = [
  // Optional native parts: ws catches that they are missing, and else would look for them on the disk.
  [/^(bufferutil|utf-8-validate)$/, /\/ws\//, missing],
  // They write in threads: 20 KB, and 8 ms with the modules that they load.
  [/^\.\/(lib\/)?transport$/, /\/pino\//, `module.exports = () => { ${missing} }`],
  [/^worker_threads$/, /\/pino\//, 'module.exports = { isMainThread: true }'],
  // A function has its role's credentials in its environment and gives them to the clients: nobody looks for others.
  [
    /^@aws-sdk\/credential-provider-node$/,
    /\/client-(dynamodb|apigatewaymanagementapi)\//,
    `export const defaultProvider = () => { ${missing} }`,
  ],
  // A function dials and never listens.
  [/^\.\/lib\/(websocket-server|stream)\.js$/, /\/ws\//, `module.exports = () => { ${missing} }`],
];

function leaveOut(build: PluginBuild): void {
  leftOut.forEach(([filter, importer, contents], index) => {
    const namespace = `left-out-${index}`;
    build.onResolve({ filter }, (args) =>
      importer.test(args.importer) ? { path: args.path, namespace } : undefined,
    );
    build.onLoad({ filter: /./, namespace }, () => ({ contents }));
  });
}

const builtins = new Set(builtinModules);

/** Named by packages at their beginning, and used by none of what functions do: 4 ms each. */
const late = new Set(['assert', 'zlib']);

/**
 * An `import` of a module of Node reads all that it exports; of `node:http` one export is `WebSocket`, which loads undici:
 * 45 ms. `process.getBuiltinModule` reads nothing.
 */
function takeBuiltins(build: PluginBuild): void {
  build.onResolve({ filter: /^[a-z][a-z0-9:/_]*$/ }, ({ path, kind }: OnResolveArgs) => {
    const name = path.replace(/^node:/, '');
    if (!builtins.has(name)) return undefined;
    const when = kind === 'require-call' && late.has(name) ? 'late' : 'now';
    return { path: name, namespace: `builtin-${when}`, sideEffects: false };
  });
  build.onLoad({ filter: /./, namespace: 'builtin-now' }, ({ path }) => ({
    contents: `module.exports = process.getBuiltinModule('node:${path}');`,
  }));
  build.onLoad({ filter: /./, namespace: 'builtin-late' }, ({ path }) => ({
    contents: `
      const real = () => process.getBuiltinModule('node:${path}');
      module.exports = new Proxy(() => {}, {
        get: (_, name) => real()[name],
        apply: (_, self, args) => Reflect.apply(real(), self, args),
      });`,
  }));
}
