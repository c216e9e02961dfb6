import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from '../run-tool.ts';

interface Service {
  profiles?: string[];
  build?: { target: string };
  depends_on?: Record<string, { condition: string; required?: boolean }>;
}
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const compose = parse(read('docker-compose.test.yml'), { merge: true }) as {
  services: Record<string, Service>;
};
const stages = [...read('Dockerfile').matchAll(/^FROM (\S+) AS (\S+)$/gm)].map(
  ([, from, name]) => ({ from, name }),
);

describe('the container files', () => {
  it('have the targets api, worker and migrations, none of them as root', () => {
    expect(stages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['api', 'worker', 'migrations']),
    );
    for (const target of ['api', 'worker', 'migrations'])
      expect(stages.find(({ name }) => name === target)?.from).toBe('base');
    expect(
      read('Dockerfile')
        .split(/^FROM .* AS base$/m)[1]
        ?.split(/^FROM/m)[0],
    ).toContain('USER node');
  });

  it('build only targets that exist', () => {
    for (const { build } of Object.values(compose.services))
      if (build) expect(stages.map(({ name }) => name)).toContain(build.target);
  });

  it('start the database and Redis only under the profile pg-redis', () => {
    expect(compose.services['db']?.profiles).toEqual(['pg-redis']);
    expect(compose.services['redis']?.profiles).toEqual(['pg-redis']);
    for (const name of ['api', 'tester']) expect(compose.services[name]?.profiles).toBeUndefined();
  });

  it('require what is under a profile only when it is there', () => {
    for (const { depends_on: needs = {} } of Object.values(compose.services)) {
      for (const [name, need] of Object.entries(needs))
        if (compose.services[name]?.profiles) expect(need.required).toBe(false);
    }
  });
});
