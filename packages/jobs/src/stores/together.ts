const maxRunning = 4;
const maxTogether = 64;

/**
 * Asks one at a time. While as many calls as may are under way, those that come wait and go together in the next:
 * under load it is one round trip for many, alone it waits for nothing.
 */
export function together<Question, Answer>(
  ask: (questions: readonly Question[]) => Promise<readonly Answer[]>,
): (question: Question) => Promise<Answer> {
  interface Waiting {
    readonly question: Question;
    resolve(answer: Answer): void;
    reject(error: unknown): void;
  }
  const waiting: Waiting[] = [];
  let running = 0;

  const pump = async () => {
    running += 1;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, maxTogether);
      try {
        const answers = await ask(batch.map(({ question }) => question));
        for (const [at, { resolve }] of batch.entries()) resolve(answers[at] as Answer);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running -= 1;
  };
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (running < maxRunning) void pump();
    });
}
