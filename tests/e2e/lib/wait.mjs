// Waiting for a condition, with a bound and a name.

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until the answer is truthy, and gives it back. */
export async function within(seconds, what, ask) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    last = await ask();
    if (last)
      return last;
    if (Date.now() > end)
      throw new Error(`waited ${seconds} s in vain until ${what} (last answer: ${JSON.stringify(last)})`);
    await pause(50);
  }
}

/** Lets real time pass, because a recording of N seconds takes N seconds. */
export const record = (seconds) => pause(seconds * 1000);
