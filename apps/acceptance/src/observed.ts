import { routeClasses } from '@svc/obs';
import { metricsRoutes, observe } from '@svc/obs/hono';
import { Hono, type Context } from 'hono';
import type { Services } from './services.ts';

/** Routes whose good answers leave no line in the log: balancers and scrapers ask for ever. */
export const quietRoutes = ['/healthz', '/readyz', '/startupz', '/metrics'];

const routeClass = routeClasses({
  user: ['/projects', '/projects/*', '/tenants', '/tenants/*', '/webhooks', '/webhooks/*'],
});

interface Known {
  readonly tenant?: { readonly id: string };
  readonly principal?: { readonly userId: string };
}

/** Measures every request, and says in the log whom it is from. */
export const observed = ({ obs }: Pick<Services, 'obs'>) =>
  observe(obs, {
    routeClass,
    identify: (c: Context) => {
      const { tenant, principal } = c.var as Known;
      return { tenantId: tenant?.id, principalId: principal?.userId };
    },
  });

/** `/metrics` for who has the token; where none is set there is no such route. */
export const scraped = ({ obs, settings }: Pick<Services, 'obs' | 'settings'>) =>
  settings.metricsToken === undefined
    ? new Hono()
    : metricsRoutes(obs.metrics, { token: settings.metricsToken });
