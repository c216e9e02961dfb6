import type { Answer, CheckName, Fault } from './checks.ts';
import type { ContractOperation } from './contract.ts';
import { exampleRequest } from './example-request.ts';
import type { Try } from './fuzz.ts';
import type { PlannedRequest } from './planned-request.ts';
import { recordsIn } from './pool.ts';

interface Covering {
  readonly planned: PlannedRequest;
  /** What is wrong with the answer, where the checks of documented requests do not apply. */
  readonly expected?: (answer: Answer) => Fault[];
}

const wrong = (check: CheckName, isWrong: boolean, message: string): Fault[] =>
  isWrong ? [{ check, message }] : [];

/** What every operation is asked once: its example, with and without credentials, and what it cannot take. */
export function coverageOf(
  operation: ContractOperation,
  operations: readonly ContractOperation[],
): Covering[] {
  const example = exampleRequest(operation);
  const covering: Covering[] = [{ planned: { ...example, kind: 'odd' } }];
  if (!operation.isPublic)
    covering.push(
      { planned: { ...example, sender: 'nobody' } },
      { planned: { ...example, sender: 'made up' } },
    );
  if (operation.body !== undefined) {
    const broken = { ...example, kind: 'broken' } as const;
    if (operation.body.contentType === 'application/json')
      covering.push({
        planned: { ...broken, text: '{"cut":' },
        expected: ({ status }) =>
          wrong('malformed_body', status < 400 || status >= 500, `half a body got ${status}`),
      });
    covering.push({
      planned: { ...broken, text: 'a text', contentType: 'text/plain' },
      expected: ({ status }) =>
        wrong(
          'unsupported_content_type',
          status < 400 || status >= 500,
          `text/plain got ${status}`,
        ),
    });
  }
  const same = operations.filter(({ path }) => path === operation.path);
  if (same[0] === operation)
    covering.push(
      otherMethod(
        operation,
        same.map(({ method }) => method),
      ),
    );
  return covering;
}

function otherMethod(operation: ContractOperation, methods: readonly string[]): Covering {
  const method =
    ['PUT', 'DELETE', 'PATCH', 'POST'].find((each) => !methods.includes(each)) ?? 'TRACE';
  const { body: _, contentType: __, ...example } = exampleRequest(operation);
  return {
    planned: { ...example, method, kind: 'broken', sender: 'nobody' },
    expected({ status, headers }) {
      const allow = (headers.get('allow') ?? '').split(/,\s*/);
      const missing = methods.filter((each) => !allow.includes(each));
      return [
        ...wrong('unsupported_method', status !== 405, `${method} got ${status}`),
        ...wrong(
          'allow_header',
          status === 405 && missing.length > 0,
          `Allow leaves out ${missing.join(', ')}`,
        ),
        ...wrong('allow_header', status === 405 && allow.includes(method), `Allow names ${method}`),
      ];
    },
  };
}

interface Life {
  readonly operation: ContractOperation;
  readonly planned: PlannedRequest;
  readonly faults: Fault[];
}

/** Makes one of each resource that can be made, read and deleted: it is there before, and gone after. */
export async function lifecycleFaults(
  operations: readonly ContractOperation[],
  attempt: Try,
  spared: Readonly<Record<string, string>>,
): Promise<Life[]> {
  const lives: Life[] = [];
  const find = (method: string, path: string) =>
    operations.find((each) => each.method === method && each.path === path);
  for (const remove of operations.filter(
    ({ method, path }) => method === 'DELETE' && /^[^{]*\/\{\w+\}$/.test(path),
  )) {
    const collection = remove.path.slice(0, remove.path.lastIndexOf('/'));
    const [create, read] = [find('POST', collection), find('GET', remove.path)];
    if (create === undefined || read === undefined) continue;
    if ([remove, create, read].some(({ id }) => id in spared)) continue;
    const made = await attempt(create, exampleRequest(create));
    const id =
      made.answer.status < 300
        ? recordsIn(made.answer.text).find((each) => typeof each['id'] === 'string')?.['id']
        : undefined;
    if (typeof id !== 'string') {
      lives.push({
        operation: create,
        planned: exampleRequest(create),
        faults: wrong(
          'resource_availability',
          true,
          `its example makes none: ${made.answer.status} ${made.answer.text.slice(0, 200)}`,
        ),
      });
      continue;
    }
    const [name = 'id'] = /\{(\w+)\}$/.exec(remove.path)?.slice(1) ?? [];
    const at = (operation: ContractOperation) => ({
      ...exampleRequest(operation),
      params: { [name]: id },
    });
    const there = await attempt(read, at(read));
    lives.push({
      operation: read,
      planned: at(read),
      faults: wrong(
        'resource_availability',
        there.answer.status !== 200,
        `what was made answers ${there.answer.status}`,
      ),
    });
    const removed = await attempt(remove, at(remove));
    if (removed.answer.status >= 300) continue;
    const after = await attempt(read, at(read));
    const isGone = after.answer.status === 404 || after.answer.status === 410;
    lives.push({
      operation: read,
      planned: at(read),
      faults: wrong('use_after_delete', !isGone, `what was deleted answers ${after.answer.status}`),
    });
  }
  return lives;
}
