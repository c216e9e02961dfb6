// Logs without an end, and dies as it is told.
import { createLogger, logUncaught } from '@svc/obs/pino';

const [way] = process.argv.slice(2);
const logger = createLogger();
logUncaught(logger);
process.on('SIGTERM', () => {
  logger.info({}, 'the last line');
  process.exit(0);
});
let count = 0;
setInterval(() => {
  for (let at = 0; at < 50; at += 1)
    logger.info({ count: (count += 1), text: 'x'.repeat(200) }, 'a line');
  if (count < 500) return;
  if (way === 'throw') throw new Error('nobody catches the last line, see /x?password=hunter2');
  if (way === 'reject') void Promise.reject(new Error('nobody awaits the last line'));
  if (way === 'exit') {
    logger.info({}, 'the last line');
    process.exit(0);
  }
}, 1);
