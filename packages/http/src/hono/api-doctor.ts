import {
  type ApiFinding,
  type ApiRule,
  diagnoseDocument,
  isPublic,
  placedOperations,
} from '../api-doctor.ts';
import type { AnyApp } from './any-app.ts';
import { docsBefore } from './middleware-docs.ts';
import {
  openapiDocument,
  type OpenApiOptions,
  operationsById,
  undocumentedRoutes,
} from './openapi-routes.ts';

export type { ApiFinding, ApiRule };

export interface ApiDoctorOptions extends OpenApiOptions {
  /** What is as it should be although a rule says otherwise: the reason, by rule and operation id. @default {} */
  readonly allow?: Partial<Readonly<Record<ApiRule, Readonly<Record<string, string>>>>>;
}

/**
 * Examines the routes of an app and its document: routes that nothing describes, failures that are not named, operations
 * that anybody may call, creations that cannot be repeated, ids that will change, paths that can mean two things, lists
 * and texts without a bound. An allowance that allows nothing is a finding, too.
 *
 * @throws {TypeError} when two routes share an operation id.
 */
export async function apiDoctor(
  app: AnyApp,
  { allow = {}, ...options }: ApiDoctorOptions,
): Promise<readonly ApiFinding[]> {
  const document = await openapiDocument(app, options);
  const routes = operationsById(app);
  const orphans = undocumentedRoutes(app).map((operation): ApiFinding => ({
    rule: 'orphan_route',
    operation,
    message: 'nothing describes it, and nothing says that it is hidden',
  }));
  const unguarded = placedOperations(document).flatMap((placed): ApiFinding[] => {
    const route = routes.get(placed.name);
    if (route === undefined || isPublic(placed, document)) return [];
    if (docsBefore(app, route).some(({ guards }) => guards === true)) return [];
    const message = 'its document asks for credentials, and no middleware before it does';
    return [{ rule: 'unguarded_operation', operation: placed.name, message }];
  });
  const findings = [...orphans, ...unguarded, ...diagnoseDocument(document)];
  const isAllowed = ({ rule, operation }: ApiFinding) => allow[rule]?.[operation] !== undefined;
  return [...findings.filter((finding) => !isAllowed(finding)), ...stale(allow, findings)];
}

function stale(
  allow: NonNullable<ApiDoctorOptions['allow']>,
  findings: readonly ApiFinding[],
): ApiFinding[] {
  return Object.entries(allow).flatMap(([rule, operations]) =>
    Object.keys(operations)
      .filter(
        (operation) =>
          !findings.some((finding) => finding.rule === rule && finding.operation === operation),
      )
      .map((operation): ApiFinding => ({
        rule: 'stale_allowance',
        operation,
        message: `${rule} is allowed and does not occur`,
      })),
  );
}
