// How well orders fare: figures, the spread of the time to verify, attempts, and the worst lights. Pure.
// What did not happen has no figure, rather than a zero.

import { addressOf } from "../base/address.js";
import { duration } from "../base/clock.js";
import { draw, el } from "../base/dom.js";
import { percent as written } from "../base/expected.js";
import { number } from "../base/locale.js";
import { t } from "../base/texts.js";
import { told } from "../base/words.js";

/** @typedef {import("../base/wire.js").Figures} Figures */
/** @typedef {import("../base/wire.js").Bucket} Bucket */

/** @param {number | null} share */
function percent(share) {
  if (share === null) return "–";
  const value = share * 100;
  // Rounded down: 99.96 % is not all.
  return written(Math.floor(value * 10) / 10, value === 100 ? 0 : 1);
}

// One of 20 cannot be told from fewer than 20, one of 100 not from fewer than 100.
const LEAST = { p50: 3, p95: 20, p99: 100 };

/** A percentile of `count` commands, or that they are too few for it. @param {number | null} seconds @param {number} count @param {number} least */
function quantile(seconds, count, least) {
  if (count === 0) return "–";
  return seconds === null || count < least ? t("figure.too-few") : duration(seconds);
}

/** @param {Figures} figures */
export function tiles(figures) {
  const tile = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ words) =>
    el("div", { class: "tile" }, el("dt", { text: name }), el("dd", {}, el("strong", { text: value }), el("span", { class: "hint", text: words })));
  const bad = figures.expired + figures.rejected;
  const of = t("figure.of", { n: figures.verified });
  const needs = (/** @type {number} */ least, /** @type {string} */ words) => (figures.verified > 0 && figures.verified < least ? t("figure.takes", { of, least }) : t("figure.words", { words, of }));
  return el(
    "dl",
    { class: "tiles" },
    tile(t("figure.verified"), percent(figures.success_rate), t("figure.verified-of", { verified: figures.verified, ended: figures.verified + bad, superseded: figures.superseded })),
    tile(t("figure.first"), percent(figures.first_attempt_rate), figures.frames_per_verified === null ? of : t("figure.frames", { frames: number(figures.frames_per_verified, 2), of })),
    tile(t("figure.median"), quantile(figures.time_to_verify_p50_s, figures.verified, LEAST.p50), needs(LEAST.p50, t("figure.half"))),
    tile(t("figure.p95"), quantile(figures.time_to_verify_p95_s, figures.verified, LEAST.p95), needs(LEAST.p95, t("figure.one-of-20"))),
    tile(t("figure.p99"), quantile(figures.time_to_verify_p99_s, figures.verified, LEAST.p99), needs(LEAST.p99, t("figure.one-of-100"))),
    tile(t("figure.open"), number(figures.open), bad === 0 ? t("figure.none-bad") : t("figure.bad", { expired: figures.expired, rejected: figures.rejected })),
  );
}

const WIDTH = 430;
const HEIGHT = 170;
const FOOT = 20;
const HEAD = 16;

/** Bars with their counts. @param {string} label @param {[string, number][]} counted name and count of each */
function bars(label, counted) {
  const most = Math.max(1, ...counted.map(([, count]) => count));
  const step = WIDTH / counted.length;
  const shown = counted.flatMap(([name, count], at) => {
    const height = (count / most) * (HEIGHT - FOOT - HEAD);
    const x = at * step;
    return [
      draw("rect", { class: "bar", x: (x + step * 0.1).toFixed(1), width: (step * 0.8).toFixed(1), y: (HEIGHT - FOOT - height).toFixed(1), height: height.toFixed(1), rx: 2 }),
      draw("text", { x: x + step / 2, y: HEIGHT - 5, "text-anchor": "middle", text: name }),
      count > 0 ? draw("text", { class: "count", x: x + step / 2, y: HEIGHT - FOOT - height - 4, "text-anchor": "middle", text: number(count) }) : null,
    ];
  });
  const words = t("figure.bars", { label, bars: counted.filter(([, count]) => count > 0).map(([name, count]) => t("figure.bars", { label: name, bars: count })).join(", ") || t("figure.none") });
  return draw("svg", { class: "bars", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words }, draw("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT }), ...shown);
}

/** A bound in seconds, short enough for under a bar. @param {number} seconds */
function bound(seconds) {
  if (seconds < 120) return number(seconds);
  return seconds < 3_600 ? t("figure.minutes", { n: Math.round(seconds / 60) }) : t("figure.hours", { n: Math.round(seconds / 3_600) });
}

/** The name under a bar. @param {Bucket} bucket @param {Bucket | undefined} before */
function upTo({ most }, before) {
  return most === null ? `>${bound(before?.most ?? 0)}` : `≤${bound(most)}`;
}

/** @param {Bucket[]} buckets */
export function histogram(buckets) {
  return bars(t("figure.by-time"), buckets.map((bucket, at) => [upTo(bucket, buckets[at - 1]), bucket.count]));
}

/** @param {Bucket[]} buckets */
export function attemptBars(buckets) {
  const named = buckets.map((bucket, at) => {
    const before = buckets[at - 1]?.most ?? 0;
    return /** @type {[string, number]} */ ([bucket.most === null || bucket.most - before > 1 ? upTo(bucket, buckets[at - 1]) : String(bucket.most), bucket.count]);
  });
  return bars(t("figure.by-attempts"), named);
}

/** @param {import("../base/wire.js").WorstLight[]} worst */
export function worstTable(worst) {
  if (worst.length === 0) return el("p", { class: "hint", text: t("worst.none") });
  const head = el("tr", {}, ...[t("worst.light"), t("worst.verified"), t("worst.attempts"), t("worst.p95"), t("worst.why")].map((name) => el("th", { scope: "col", text: name })));
  const rows = worst.map((light) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, el("a", { href: addressOf({ light: light.dev_eui }), text: light.name || light.dev_eui })),
      el("td", { text: t("worst.of", { verified: light.verified, commands: light.commands }) }),
      el("td", { text: light.attempts_per_success === null ? "–" : number(light.attempts_per_success, 1) }),
      el("td", { text: quantile(light.time_to_verify_p95_s, light.verified, LEAST.p95) }),
      el("td", { class: "why", text: told(light.why) }),
    ),
  );
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": t("worst.lights") }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}
