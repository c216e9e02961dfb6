import ajvFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** Checks values against the schemas of one document: answers what is wrong, or `undefined`. */
export type CheckSchema = (schema: object, value: unknown) => string | undefined;

/** Checks of a document's schemas, compiled once each. */
export function createSchemaCheck(document: object): CheckSchema {
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true });
  (ajvFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addSchema({ $id: 'document', ...document });
  const compiled = new WeakMap<object, ReturnType<Ajv2020['compile']>>();
  return (schema, value) => {
    const check = compiled.get(schema) ?? ajv.compile(rooted(schema));
    compiled.set(schema, check);
    if (check(value)) return undefined;
    const [error] = check.errors ?? [];
    return `${error?.instancePath ?? ''} ${error?.message ?? 'does not fit'}`.trim();
  };
}

/** The same schema, whose references lead into the document. */
function rooted(schema: object): object {
  return JSON.parse(
    JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"document#/'),
  ) as object;
}
