import { createProbes } from './probes.ts';
import { runProcess } from './run-process.ts';

// The process for jobs: probed and stopped like the web process, open to nobody else.
await runProcess('worker', () => ['worker'], createProbes);
