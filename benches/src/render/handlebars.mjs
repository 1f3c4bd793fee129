// Microseconds of processor time in which handlebars.js renders a template, the median of the rounds.
import Handlebars from 'handlebars';
import { readFileSync } from 'node:fs';

const { template, data, rounds, round_ms } = JSON.parse(readFileSync(0, 'utf8'));
const render = Handlebars.compile(template, { strict: true });
const processor = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const round = (least) => {
  const start = processor();
  let times = 0;
  let taken = 0;
  do {
    for (let n = 0; n < 200; n += 1) render(data);
    times += 200;
    taken = processor() - start;
  } while (taken < least);
  return taken / times;
};
// The compiler of V8 has its say first.
round(1e6);
const measured = Array.from({ length: rounds }, () => round(round_ms * 1000)).sort((a, b) => a - b);
console.log(measured[Math.floor(rounds / 2)]);
