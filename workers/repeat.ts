/**
 * Runs `work` every `everyMs` milliseconds, and with `atOnce` also now. Skips a run if the previous one has not ended.
 * `work` must not throw. Returns a function that stops the repetition.
 */
export function repeat(everyMs: number, work: () => Promise<void>, { atOnce = false } = {}): () => void {
  let working = false;
  const run = () => {
    if (working) return;
    working = true;
    void work().finally(() => (working = false));
  };
  if (atOnce) run();
  const timer = setInterval(run, everyMs);
  return () => clearInterval(timer);
}
