import type {
  OpenApiDocument,
  OpenApiOperation,
  OpenApiParameter,
  OpenApiResponse,
  OpenApiSchema,
} from '@svc/http';

/** An operation as the fuzzer needs it. */
export interface ContractOperation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly isPublic: boolean;
  readonly parameters: readonly OpenApiParameter[];
  readonly body:
    | { readonly contentType: string; readonly schema: OpenApiSchema; readonly example: unknown }
    | undefined;
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}

/** The operations of a document. */
export function operationsOf(document: OpenApiDocument): ContractOperation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: operation.operationId ?? `${method} ${path}`,
      method: method.toUpperCase(),
      path,
      isPublic: (operation.security ?? document.security ?? []).length === 0,
      parameters: operation.parameters ?? [],
      body: bodyOf(operation),
      responses: operation.responses ?? {},
    })),
  );
}

function bodyOf({ requestBody }: OpenApiOperation): ContractOperation['body'] {
  const [first] = Object.entries(requestBody?.content ?? {});
  if (first === undefined) return undefined;
  const [contentType, { schema = {}, example }] = first;
  return { contentType, schema, example };
}
