import { parseHttpTarget } from '../source/http-target.ts';
import type { SourceConfig, SourceConfigs } from '../source/source-config.ts';
import type { UnitNeeds } from './unit-text.ts';

const homes = ['/home', '/root', '/run/user'];
const temporary = ['/tmp', '/var/tmp'];

/** What a service with these sources must be able to see. */
export function needsOf(sources: SourceConfigs): UnitNeeds {
  const paths = [...sources.values()].flatMap(pathsOf);
  return {
    homes: paths.some((path) => touches(path, homes)),
    tmp: paths.some((path) => touches(path, temporary)),
    commands: [...sources.values()].some(({ kind }) => kind === 'command'),
  };
}

function pathsOf(source: SourceConfig): string[] {
  switch (source.kind) {
    case 'file':
      return [source.root];
    case 'http':
      return [parseHttpTarget(source.url).socketPath ?? ''];
    case 'command':
      return [source.argv[0] ?? '', source.cwd ?? ''];
  }
}

/** Below one of the folders, or above one. */
function touches(path: string, folders: readonly string[]): boolean {
  const above = path.endsWith('/') ? path : `${path}/`;
  return (
    path !== '' && (isBelow(path, folders) || folders.some((folder) => folder.startsWith(above)))
  );
}

/** Whether a path is one of the folders, or lies below one. */
export function isBelow(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
