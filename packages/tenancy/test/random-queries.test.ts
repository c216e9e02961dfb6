import type { Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import fc from 'fast-check';
import { type JoinBuilder, type RawBuilder, sql } from 'kysely';
import { expect } from 'vitest';
import { ann, appMigrations, bob, cem, scopeAlone } from './two-tables.ts';

const test = databaseTest([appMigrations]);

type Table = 'app.projects' | 'app.tasks';
type Filter =
  | { kind: 'everything' | 'own' | 'foreign' | 'raw' }
  | { kind: 'or' | 'and'; filters: Filter[] }
  | { kind: 'not'; filter: Filter }
  | { kind: 'exists' | 'in'; query: Query };
interface Join {
  kind: 'inner' | 'left' | 'lateral' | 'subquery';
  table: Table;
  filter: Filter;
}
interface Query {
  from: 'table' | 'subquery' | 'cte' | 'colours';
  table: Table;
  joins: Join[];
  filter: Filter;
  union: Query | undefined;
  limit: boolean;
}

const table = fc.constantFrom<Table>('app.projects', 'app.tasks');
const { query } = fc.letrec<{ query: Query; filter: Filter; join: Join }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'depth' },
    fc.record({ kind: fc.constantFrom('everything', 'own', 'foreign', 'raw') }),
    fc.record({
      kind: fc.constantFrom('or', 'and'),
      filters: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('not' as const), filter: tie('filter') }),
    fc.record({ kind: fc.constantFrom('exists', 'in'), query: tie('query') }),
  ) as fc.Arbitrary<Filter>,
  join: fc.record({
    kind: fc.constantFrom('inner', 'left', 'lateral', 'subquery'),
    table,
    filter: tie('filter'),
  }),
  query: fc.record({
    from: fc.constantFrom('table', 'subquery', 'cte', 'colours'),
    table,
    joins: fc.array(tie('join'), { maxLength: 2, depthIdentifier: 'depth' }),
    filter: tie('filter'),
    union: fc.option(tie('query'), { nil: undefined, maxDepth: 2, depthIdentifier: 'depth' }),
    limit: fc.boolean(),
  }),
}));

let aliases = 0;
const nextAlias = () => `a${(aliases += 1)}`;

function condition(db: Db, alias: string, filter: Filter): RawBuilder<boolean> {
  switch (filter.kind) {
    case 'everything':
      return sql`true`;
    case 'own':
      return sql`${sql.ref(`${alias}.canary`)} is not null`;
    case 'foreign':
      return sql`${sql.ref(`${alias}.canary`)} like ${`%${bob}`}`;
    case 'raw':
      return sql`1 = 2 or true`;
    case 'not':
      return sql`not (${condition(db, alias, filter.filter)})`;
    case 'or':
    case 'and': {
      const all = filter.filters.map((each) => condition(db, alias, each));
      return sql`(${sql.join(all, filter.kind === 'or' ? sql` or ` : sql` and `)})`;
    }
    case 'exists':
      return sql`exists ${build(db, filter.query)}`;
    case 'in':
      return sql`${sql.ref(`${alias}.canary`)} in ${build(db, filter.query)}`;
  }
}

/** A query with one column, in which the canaries of every row it touched stand. */
function build(db: Db, { from, table: name, joins, filter, union, limit }: Query) {
  const alias = nextAlias();
  const shown = [alias];
  let query =
    from === 'cte'
      ? db
          .with('projects', (inner) => inner.selectFrom(name).selectAll())
          .selectFrom(`projects as ${alias}`)
      : from === 'subquery'
        ? db.selectFrom((eb) => eb.selectFrom(name).selectAll().as(alias))
        : from === 'colours'
          ? db.selectFrom((eb) => eb.selectFrom('app.colours').select('name as canary').as(alias))
          : db.selectFrom(`${name} as ${alias}`);
  for (const join of joins) {
    const joined = nextAlias();
    shown.push(joined);
    const on = (builder: JoinBuilder<Record<string, object>, string>) =>
      builder.on(condition(db, joined, join.filter));
    const rows = db.selectFrom(join.table).selectAll().as(joined);
    if (join.kind === 'inner') query = query.innerJoin(`${join.table} as ${joined}`, on);
    else if (join.kind === 'left') query = query.leftJoin(`${join.table} as ${joined}`, on);
    else if (join.kind === 'lateral') query = query.leftJoinLateral(rows, on);
    else query = query.rightJoin(rows, on);
  }
  const canaries = shown.map((each) => sql`coalesce(${sql.ref(`${each}.canary`)}, '')`);
  query = query
    .select(sql<string>`${sql.join(canaries, sql` || ' ' || `)}`.as('canary'))
    .where(condition(db, alias, filter));
  if (union !== undefined) query = query.unionAll((eb) => eb.parens(build(db, union)));
  return limit ? query.orderBy('canary', 'desc').limit(5) : query;
}

test('no query of two tenant tables, however put together, gives a row of another tenant', async ({
  database,
}) => {
  let leaksWithout = 0;
  await scopeAlone(database, ann, async (layer) => {
    await fc.assert(
      fc.asyncProperty(query, async (description) => {
        const { rows, error } = await layer.attempt((db) => build(db, description).execute());
        const text = JSON.stringify(rows);
        if (error !== undefined) {
          // A right join may only be refused, never let through, where a tenant table would be kept by it.
          expect(error).toMatchObject({ message: expect.stringContaining('right or full join') });
          return;
        }
        expect(text).not.toContain(bob);
        expect(text).not.toContain(cem);
      }),
      { numRuns: 300 },
    );
    // That the same queries would show them is what makes this a test.
    for (const description of fc.sample(query, 100)) {
      const { rows } = await layer.attempt((db) =>
        build(db.withoutPlugins(), description).execute(),
      );
      if (JSON.stringify(rows).includes(bob)) leaksWithout += 1;
    }
  });
  expect(leaksWithout).toBeGreaterThan(30);
}, 120_000);
