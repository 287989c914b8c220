// When a gateway was away, as a strip of the last days and in words. Pure.

import { duration, shortTime } from "../base/clock.js";
import { draw, el } from "../base/dom.js";
import { plural } from "../base/words.js";

/** @typedef {import("../base/wire.js").Outage} Outage */

export const OUTAGE_DAYS = 7;
const DAY_S = 86_400;
const WIDTH = 700;
const LISTED_MOST = 50;
// Of 700 in 7 days a minute is 0.07; what is over is a hair, what lasts has to be seen.
const ENDED_LEAST = 4;
const LASTING_LEAST = 14;

/** @param {Outage[]} all newest first or not @param {number} now */
export function outages(all, now) {
  const from = now - OUTAGE_DAYS * DAY_S;
  const some = all.filter((outage) => (outage.until ?? now) > from).sort((a, b) => b.since - a.since);
  const away = some.reduce((sum, outage) => sum + (outage.until ?? now) - Math.max(outage.since, from), 0);
  const share = 100 * (1 - away / (OUTAGE_DAYS * DAY_S));
  const words = some.length === 0
    ? `No outage in ${OUTAGE_DAYS} days`
    : `${plural(some.length, "outage")} in ${OUTAGE_DAYS} days, away for ${duration(away)} (there ${share.toFixed(share > 99 ? 2 : 1)} %)`;
  const bars = some.map((outage) => {
    const start = Math.max(outage.since, from);
    const least = outage.until === null ? LASTING_LEAST : ENDED_LEAST;
    const width = Math.max(least, (((outage.until ?? now) - start) / (OUTAGE_DAYS * DAY_S)) * WIDTH);
    // A fresh one is at the very end: it grows to the left, or nobody would see it.
    const x = Math.min(((start - from) / (OUTAGE_DAYS * DAY_S)) * WIDTH, WIDTH - width);
    return draw("rect", { class: outage.until === null ? "away lasts" : "away", x: x.toFixed(1), y: 0, width: width.toFixed(1), height: 14 });
  });
  const days = Array.from({ length: OUTAGE_DAYS - 1 }, (_, at) => draw("line", { class: "grid", x1: ((at + 1) * WIDTH) / OUTAGE_DAYS, x2: ((at + 1) * WIDTH) / OUTAGE_DAYS, y1: 0, y2: 14 }));
  const list = some.slice(0, LISTED_MOST).map((outage) =>
    el("li", {}, `${shortTime(outage.since)} for ${duration((outage.until ?? now) - outage.since)}${outage.until === null ? ", still away" : ""}`),
  );
  return el(
    "div",
    {},
    draw("svg", { class: "strip", viewBox: `0 0 ${WIDTH} 14`, preserveAspectRatio: "none", role: "img", "aria-label": words }, draw("rect", { class: "there", x: 0, y: 0, width: WIDTH, height: 14 }), ...days, ...bars),
    some.length === 0 ? el("p", { class: "hint", text: words }) : el("details", {}, el("summary", { class: "hint", text: words }), el("ul", {}, ...list)),
  );
}
