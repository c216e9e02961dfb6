import { ambientEnvironment } from './ambient-environment.ts';
import { ambientTime } from './ambient-time.ts';
import { imports } from './imports.ts';
import { noAny } from './no-any.ts';
import { reasonedSkips } from './reasoned-skips.ts';

/** The rules of this house that no linter brings along; loaded by `.oxlintrc.json`. */
export default {
  meta: { name: 'house' },
  rules: {
    'ambient-environment': ambientEnvironment,
    'ambient-time': ambientTime,
    imports,
    'no-any': noAny,
    'reasoned-skips': reasonedSkips,
  },
};
