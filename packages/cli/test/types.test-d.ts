import { defineConfig } from '@svc/cli';
import { expectTypeOf, test } from 'vitest';

test('the database is made from what the settings are', () => {
  defineConfig({
    settings: async () => ({ databaseUrl: 'pglite://memory' }),
    database: (settings) => {
      expectTypeOf(settings).toEqualTypeOf<{ databaseUrl: string }>();
      return { url: settings.databaseUrl };
    },
  });
  // @ts-expect-error there is no url
  defineConfig({ database: () => ({}) });
});
