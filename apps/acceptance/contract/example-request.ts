import fc from 'fast-check';
import { fitting } from './arbitraries.ts';
import type { ContractOperation } from './contract.ts';
import type { PlannedRequest } from './planned-request.ts';

/** A request of the operation as its document shows it; the same every time. */
export function exampleRequest({
  method,
  path,
  parameters,
  body,
}: ContractOperation): PlannedRequest {
  const of = (where: string, isNeeded: (required?: boolean) => boolean) =>
    Object.fromEntries(
      parameters
        .filter((each) => each.in === where && isNeeded(each.required))
        .map(({ name, schema = {} }) => {
          const [value] = fc.sample(fitting(schema, 'sober', name), { numRuns: 1, seed: 1 });
          return [name, typeof value === 'string' ? value : String(value)];
        }),
    );
  return {
    method,
    path,
    params: of('path', () => true),
    query: of('query', (required) => required === true),
    headers: {},
    ...(body !== undefined && { body: body.example ?? {}, contentType: body.contentType }),
    sender: 'known',
    kind: 'fits',
  };
}
