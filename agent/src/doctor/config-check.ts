import { helloOf } from '../agent-hello.ts';
import { AgentSources } from '../agent-sources.ts';
import { ConfigError, describeProblem } from '../config/config-error.ts';
import { SourceOpenError } from '../source/open-source.ts';
import type { Check, Finding } from './check.ts';
import type { Patient } from './patient.ts';

const advice = 'correct it in the configuration file, the environment or the options';

/** What `pullwire-agent check` says of the configuration; sources that cannot be opened have lines of their own. */
export const configCheck: Check = {
  component: 'config',
  needs: [],
  limitMs: 10_000,
  target: () => 'configuration',
  run: async (patient) => {
    try {
      const config = patient.readConfig();
      await mustFit(patient);
      const details = `device ${config.device}, instance ${config.instance}, ${config.sources.size} sources`;
      return [{ target: 'configuration', state: 'ok', details }];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map(
        (problem): Finding => ({
          target: problem.key,
          state: 'failed',
          details: describeProblem(problem),
          advice,
        }),
      );
    }
  },
};

/** Opens everything as `run` does. @throws ConfigError where no hello could say it. */
async function mustFit({ config, deps }: Patient): Promise<void> {
  const sources = new AgentSources(deps, () => {});
  try {
    await sources.replace(config.sources, (infos) => helloOf(config, infos));
  } catch (error) {
    if (!(error instanceof SourceOpenError)) throw error;
  } finally {
    await sources.close();
  }
}
