import type { Hono } from 'hono';
import { METHOD_NAME_ALL } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';
import { MethodNotAllowed } from '../failures.ts';

/** Says which methods a path has, from the routes that the app has when it is first asked. */
// oxlint-disable-next-line no-explicit-any -- any app, whatever else its environment holds
export function allowedMethods(app: Hono<any>): (path: string) => ReadonlySet<string> {
  let methods: string[] = [];
  let router: TrieRouter<string> | undefined;
  const build = () => {
    const built = new TrieRouter<string>();
    // Middleware is registered for all methods; only what is registered for one is an operation.
    const operations = app.routes.filter(({ method }) => method !== METHOD_NAME_ALL);
    for (const { method, path } of operations) built.add(method, path, method);
    methods = [...new Set(operations.map(({ method }) => method))];
    return built;
  };
  return (path) => {
    router ??= build();
    const found = router;
    const allowed = new Set(methods.filter((method) => found.match(method, path)[0].length > 0));
    if (allowed.has('GET')) allowed.add('HEAD');
    return allowed;
  };
}

/** @throws {MethodNotAllowed} when the path is there, with other methods only */
export function assertMethod(allowed: ReadonlySet<string>, method: string): void {
  if (allowed.size === 0 || allowed.has(method)) return;
  throw new MethodNotAllowed({ allow: [...allowed, 'OPTIONS'].toSorted().join(', ') });
}
