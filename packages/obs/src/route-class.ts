/** Whom a route is for: what SLOs go by. `internal` are probes and scrapes, which no SLO counts. */
export type RouteClass = 'public' | 'user' | 'admin' | 'internal';

export interface RouteClasses {
  /** Patterns of routes; `/*` at the end covers what is below. @default ['/admin', '/admin/*'] */
  readonly admin?: readonly string[];
  /** @default [] */
  readonly user?: readonly string[];
  /** @default ['/healthz', '/readyz', '/startupz', '/metrics'] */
  readonly internal?: readonly string[];
}

/** The class of each route, by its pattern; what is in none of the lists is `public`. */
export function routeClasses({
  admin = ['/admin', '/admin/*'],
  user = [],
  internal = ['/healthz', '/readyz', '/startupz', '/metrics'],
}: RouteClasses = {}): (route: string) => RouteClass {
  const known = new Map<string, RouteClass>();
  const find = (route: string): RouteClass => {
    const isIn = (patterns: readonly string[]) => patterns.some((each) => covers(each, route));
    if (isIn(internal)) return 'internal';
    if (isIn(admin)) return 'admin';
    return isIn(user) ? 'user' : 'public';
  };
  return (route) => {
    // Routes are as many as the app has; they are looked up for each request.
    let found = known.get(route);
    if (found === undefined) known.set(route, (found = find(route)));
    return found;
  };
}

const covers = (pattern: string, route: string) =>
  pattern.endsWith('/*') ? route.startsWith(pattern.slice(0, -1)) : pattern === route;
