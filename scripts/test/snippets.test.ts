import { describe, expect, it } from 'vitest';
import { envExample } from '../env-example.ts';
import { extractSnippets } from '../snippets.ts';

describe('snippets of the documentation', () => {
  it('are the ts blocks, with the line on which their code begins', () => {
    const markdown =
      '# A\n\n```ts\nconst a = 1;\n```\n\n```sh\nls\n```\n\n- b\n\n  ```ts file=app.ts\n  const b = 2;\n  ```\n';
    expect(extractSnippets(markdown)).toEqual({
      snippets: [
        { line: 4, file: undefined, code: 'const a = 1;' },
        { line: 14, file: 'app.ts', code: 'const b = 2;' },
      ],
      faults: [],
    });
  });

  it('do not begin inside of another block', () => {
    expect(extractSnippets('````md\n```ts\nnope\n```\n````\n').snippets).toEqual([]);
  });

  it('may be left out with a reason, and not without', () => {
    expect(extractSnippets('```ts ignore-snippet: shows the interface\na\n```\n')).toEqual({
      snippets: [],
      faults: [],
    });
    expect(extractSnippets('a\n```ts ignore-snippet\na\n```\n').faults).toMatchObject([
      { line: 2 },
    ]);
  });
});

describe('.env.example', () => {
  it('shows defaults, and never a value for a secret', () => {
    const text = envExample([
      {
        variable: 'PORT',
        description: 'where it listens (1 to 65535)',
        default: '8000',
        secret: false,
        requiredInProduction: false,
      },
      {
        variable: 'APP_SECRET',
        description: 'signs cursors',
        default: 'local',
        secret: true,
        requiredInProduction: true,
      },
    ]);
    expect(text).toContain('# where it listens (1 to 65535)\nPORT=8000\n');
    expect(text).toContain(
      '# signs cursors — required in production; or the path of a file with it in APP_SECRET_FILE\n# APP_SECRET=\n',
    );
  });
});
