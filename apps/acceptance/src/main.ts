import { createApp } from './app.ts';
import { runProcess } from './run-process.ts';

await runProcess(
  'web',
  ({ backgroundInWeb }) => (backgroundInWeb ? ['worker', 'schedulers'] : []),
  createApp,
);
