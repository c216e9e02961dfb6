import { createProbes } from './probes.ts';
import { runProcess } from './run-process.ts';

// The process for schedules; as many as one likes.
await runProcess('scheduler', () => ['schedulers'], createProbes);
