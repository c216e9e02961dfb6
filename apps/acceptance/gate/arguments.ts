import { parseArgs } from 'node:util';

export type StackName = 'embedded' | 'pg-redis';
export type RuntimeName = 'node' | 'bun';

export const stackNames: readonly StackName[] = ['embedded', 'pg-redis'];
export const runtimeNames: readonly RuntimeName[] = ['node', 'bun'];

export interface GateArguments {
  readonly stacks: readonly StackName[];
  readonly runtimes: readonly RuntimeName[];
  /** A deployed app to run against, instead of a stack of our own. */
  readonly url: string | undefined;
  /** A-IDs or their groups; empty for all. */
  readonly only: readonly string[];
}

export const usage = `Usage: pnpm accept [options]

  --stack embedded|pg-redis|all   where the app runs (default: embedded)
  --runtime node|bun|all          what serves it (default: node)
  --url https://…                 run against a deployed app instead
  --only A1,A5-02                 a part of the matrix
  --help                          this text
`;

/** The gate's arguments. @throws {TypeError} saying what is wrong with them */
export function parseGateArguments(argv: readonly string[]): GateArguments | 'help' {
  const { values } = parseArgs({
    args: argv.filter((argument) => argument !== '--'),
    options: {
      stack: { type: 'string', default: 'embedded' },
      runtime: { type: 'string', default: 'node' },
      url: { type: 'string' },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.url !== undefined && !/^https?:$/.test(URL.parse(values.url)?.protocol ?? '')) {
    throw new TypeError('--url takes an http or https URL');
  }
  return {
    stacks: choose('--stack', values.stack, stackNames),
    runtimes: choose('--runtime', values.runtime, runtimeNames),
    url: values.url?.replace(/\/+$/, ''),
    only: values.only
      .split(',')
      .map((id) => id.trim().toUpperCase())
      .filter((id) => id !== ''),
  };
}

function choose<Name extends string>(
  flag: string,
  value: string,
  names: readonly Name[],
): readonly Name[] {
  if (value === 'all') return names;
  const name = names.find((candidate) => candidate === value);
  if (name === undefined) throw new TypeError(`${flag} takes ${names.join(', ')} or all`);
  return [name];
}
