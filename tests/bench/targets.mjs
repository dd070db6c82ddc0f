// What the rows are to reach on two cores.

const atLeast = (limit) => ({ text: `at least ${limit}`, isMet: (value) => value >= limit });
const atMost = (limit) => ({ text: `at most ${limit}`, isMet: (value) => value <= limit });
const below = (limit) => ({ text: `below ${limit}`, isMet: (value) => value < limit });

const targets = new Map([
  ['composed.n4.floor_ratio', atMost(1.25)],
  ['composed.n4.classic_cpu_ratio', atLeast(3)],
  ['composed.n4.classic_pss_ratio', atLeast(8)],
  ['start.answer_ms', below(500)],
  ['start.first_frame_ms', below(1000)],
  ['stop.answer_ms', below(1000)],
  ['small.concurrent', atLeast(8)],
]);

/** What a row's value is to its target, in words; null when it has none. */
export function judge(name, value) {
  const target = targets.get(name);
  if (!target)
    return null;
  const isMet = target.isMet(value); // what is not a number meets nothing
  return { isMet, text: `${name} ${isMet ? 'meets' : 'MISSES'} its target, ${target.text}` };
}
