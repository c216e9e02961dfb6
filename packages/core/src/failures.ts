import { failure, type FieldError } from './failure.ts';

/** A submitted value does not have the shape it must have; `details.errors` says where. */
export class ValidationFailed extends failure(
  'core.validation_failed',
  'invalid',
  'The input is not valid.',
) {
  constructor(errors: readonly FieldError[]) {
    super({ errors });
  }
}

/** A page cursor that this service did not make. */
export class InvalidCursor extends failure(
  'core.invalid_cursor',
  'invalid',
  'The cursor is not valid. Start again from the first page.',
) {}
