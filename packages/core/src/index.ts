export { canonicalJson } from './canonical-json.ts';
export { type Cipher, type CipherOptions, createCipher } from './cipher.ts';
export { type Clock, shiftedClock, systemClock } from './clock.ts';
export { createCursors, type CursorPosition, type Cursors, type Page, toPage } from './cursor.ts';
export { type Duration, toMs } from './duration.ts';
export { eventLoopTimes } from './event-loop.ts';
export { defineEvent, type EventChannel, type EventMessage } from './events.ts';
export {
  failure,
  type Failure,
  type FailureClass,
  type FailureDetails,
  type FailureKind,
  type FailureType,
  type FieldError,
  isFailure,
} from './failure.ts';
export { InvalidCursor, ValidationFailed } from './failures.ts';
export { createUuidV7, isUuid, type NewId, uuidv7, type UuidV7Options } from './id.ts';
export { type Logger, silentLogger } from './logger.ts';
export { constantTimeEqual, type RandomBytes, randomBytes, randomToken, sha256 } from './random.ts';
export * as setting from './setting-schemas.ts';
export {
  describeSettings,
  type Environment,
  exitCodeBadSettings,
  InvalidSettings,
  parseSettings,
  type ParseSettingsOptions,
  type SettingDescription,
  type SettingIssue,
  type SettingMetadata,
  type Settings,
} from './settings.ts';
