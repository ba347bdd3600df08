import { describe, expect, it } from 'vitest';
import { parseDockerfile } from './dockerfile.ts';
import { imageConfig } from './image.ts';

describe('a Dockerfile', () => {
  it('is read into its stages, with what a container is started by', () => {
    const [build, last] = parseDockerfile(
      `ARG BASE=debian:bookworm-20261005-slim
FROM node:24.21.0-bookworm-slim AS build
RUN one \\
  && two
FROM \${BASE}
COPY --from=build /a /b /c/
ENV A=1 B="2 3"
WORKDIR /w
USER 7:8
VOLUME ["/v"]
HEALTHCHECK --interval=60s --retries=3 CMD ["h", "i"]
ENTRYPOINT ["tini", "--"]
CMD ["run"]`,
    );
    expect(build).toMatchObject({ name: 'build', image: 'node:24.21.0-bookworm-slim' });
    expect(build?.steps).toEqual([{ kind: 'run', command: 'one   && two' }]);
    expect(last?.image).toBe('debian:bookworm-20261005-slim');
    expect(last?.steps).toContainEqual({
      kind: 'copy',
      from: 'build',
      sources: ['/a', '/b'],
      to: '/c/',
    });
    expect(last && imageConfig(last)).toMatchObject({
      env: { A: '1', B: '2 3' },
      workdir: '/w',
      user: '7:8',
      volumes: ['/v'],
      healthcheck: ['h', 'i'],
      entrypoint: ['tini', '--'],
      cmd: ['run'],
    });
  });

  it.each([
    ['RUN --mount=type=cache,target=/x a', 'a flag'],
    ['RUN ["a"]', 'no shell form'],
    ['RUN a \\\n  # why\n  && b', 'a comment or a heredoc within'],
    ['COPY --chown=1 a b', '--chown'],
    ['COPY *.json b', 'a variable or a wildcard'],
    ['ADD a b', 'an instruction that is not known here'],
    ['ENV A=$B', 'no plain value'],
    ['CMD run', 'no exec form'],
    ['HEALTHCHECK NONE', 'no CMD'],
  ])('%s is refused, not passed over', (line, why) => {
    expect(() => parseDockerfile(`FROM debian:x\n${line}`)).toThrow(
      `line 2: ${line.split(' ')[0]} with ${why}`,
    );
  });
});
