import { json, type LocalRoutes } from '@pullwire/shared/local-server';
import { type MetricFamily, metricsContentType, metricsText } from '@pullwire/shared/metrics';

/** What the routes ask of the agent. */
export interface HealthView {
  /** Whether a link is open. */
  readonly linked: boolean;
  /** Why there is none, for people. */
  readonly lastTrouble: string | undefined;
  metrics(): readonly MetricFamily[];
}

/** For monitors. That `/health/live` answers at all is its message: the event loop turns. */
export function healthRoutes(agent: HealthView): LocalRoutes {
  return {
    '/health/live': () => json(200, { status: 'live' }),
    '/health/ready': () => {
      const why = agent.lastTrouble ?? 'no link was opened yet';
      return agent.linked
        ? json(200, { status: 'ready' })
        : json(503, { status: 'not-ready', why });
    },
    '/metrics': () => ({
      status: 200,
      type: metricsContentType,
      body: metricsText(agent.metrics()),
    }),
  };
}
