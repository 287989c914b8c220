// When a gateway was away, as a strip of the last days and in words. Pure. Time in which nobody looked is
// neither up nor down, and a share says what it is of.

import { duration, shortTime } from "../base/clock.js";
import { draw, el } from "../base/dom.js";
import { percent } from "../base/expected.js";
import { t } from "../base/texts.js";

/** @typedef {import("../base/wire.js").Outage} Outage */
/** @typedef {import("../base/wire.js").History} History */

export const OUTAGE_DAYS = 7;
const DAY_S = 86_400;
const WIDTH = 700;
const LISTED_MOST = 50;
// Of 700 in 7 days a minute is 0.07; what is over is a hair, what lasts has to be seen.
const ENDED_LEAST = 4;
const LASTING_LEAST = 14;

/** What was observed, and what it comes to. @param {History} history @param {Outage[]} some */
function told({ availability, observed_s: observed, away_s: away }, some) {
  if (availability === null) return t("outage.unobserved");
  const whole = observed > (OUTAGE_DAYS - 0.1) * DAY_S;
  const base = whole ? t("outage.days", { days: OUTAGE_DAYS }) : t("outage.observed", { span: duration(observed) });
  if (some.length === 0) return whole ? t("outage.none", { days: OUTAGE_DAYS }) : t("outage.none-of", { days: OUTAGE_DAYS, base });
  // Rounded down: 99.996 % is not all.
  const share = 100 * availability;
  const there = share > 99 ? percent(Math.floor(share * 100) / 100, 2) : percent(share);
  return t("outage.some", { n: some.length, days: OUTAGE_DAYS, away: duration(away), share: there, base });
}

/** @param {History} history @param {number} now */
export function outages(history, now) {
  const from = now - OUTAGE_DAYS * DAY_S;
  const some = history.outages.filter((outage) => (outage.until ?? now) > from).sort((a, b) => b.since - a.since);
  const words = told(history, some);
  const at = (/** @type {number} */ when) => (Math.min(Math.max(when, from), now) - from) / (OUTAGE_DAYS * DAY_S) * WIDTH;
  const there = history.observed.map(({ since, until }) => draw("rect", { class: "there", x: at(since).toFixed(1), y: 0, width: Math.max(1, at(until) - at(since)).toFixed(1), height: 14 }));
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
    el("li", { text: t(outage.until === null ? "outage.lasts" : "outage.one", { at: shortTime(outage.since), span: duration((outage.until ?? now) - outage.since) }) }),
  );
  return el(
    "div",
    {},
    draw("svg", { class: "strip", viewBox: `0 0 ${WIDTH} 14`, preserveAspectRatio: "none", role: "img", "aria-label": words }, draw("rect", { class: "unseen-time", x: 0, y: 0, width: WIDTH, height: 14 }), ...there, ...days, ...bars),
    some.length === 0 ? el("p", { class: "hint", text: words }) : el("details", {}, el("summary", { class: "hint", text: words }), el("ul", {}, ...list)),
  );
}
