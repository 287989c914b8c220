// How well orders fare: figures, the spread of the time to verify, attempts, and the worst lights. Pure.
// What did not happen has no figure, rather than a zero.

import { addressOf } from "../base/address.js";
import { duration, inZone } from "../base/clock.js";
import { draw, el } from "../base/dom.js";
import { plural } from "../base/words.js";

/** @typedef {import("../base/wire.js").Figures} Figures */
/** @typedef {import("../base/wire.js").Bucket} Bucket */

/** @param {number | null} share */
function percent(share) {
  if (share === null) return "–";
  const value = share * 100;
  // Rounded down: 99.96 % is not all.
  return `${(Math.floor(value * 10) / 10).toFixed(value === 100 ? 0 : 1)} %`;
}

// One of 20 cannot be told from fewer than 20, one of 100 not from fewer than 100.
const LEAST = { p50: 3, p95: 20, p99: 100 };

/** A percentile of `count` commands, or that they are too few for it. @param {number | null} seconds @param {number} count @param {number} least */
function quantile(seconds, count, least) {
  if (count === 0) return "–";
  return seconds === null || count < least ? "too few" : duration(seconds);
}

/** @param {Figures} figures */
export function tiles(figures) {
  const tile = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ words) =>
    el("div", { class: "tile" }, el("dt", { text: name }), el("dd", {}, el("strong", { text: value }), el("span", { class: "hint", text: words })));
  const bad = figures.expired + figures.rejected;
  const of = `of ${plural(figures.verified, "verified command")}`;
  const needs = (/** @type {number} */ least, /** @type {string} */ words) => (figures.verified > 0 && figures.verified < least ? `${of}; it takes ${least}` : `${words}, ${of}`);
  return el(
    "dl",
    { class: "tiles" },
    tile("Verified", percent(figures.success_rate), `${figures.verified.toLocaleString("en")} of ${(figures.verified + bad).toLocaleString("en")} that ended; ${figures.superseded} superseded`),
    tile("At the first attempt", percent(figures.first_attempt_rate), figures.frames_per_verified === null ? of : `${figures.frames_per_verified.toFixed(2)} frames a command, ${of}`),
    tile("Median time to verify", quantile(figures.time_to_verify_p50_s, figures.verified, LEAST.p50), needs(LEAST.p50, "half of them faster")),
    tile("95th percentile", quantile(figures.time_to_verify_p95_s, figures.verified, LEAST.p95), needs(LEAST.p95, "one of 20 slower")),
    tile("99th percentile", quantile(figures.time_to_verify_p99_s, figures.verified, LEAST.p99), needs(LEAST.p99, "one of 100 slower")),
    tile("Open now", figures.open.toLocaleString("en"), bad === 0 ? "none expired or rejected" : `${figures.expired} expired, ${figures.rejected} rejected`),
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
      count > 0 ? draw("text", { class: "count", x: x + step / 2, y: HEIGHT - FOOT - height - 4, "text-anchor": "middle", text: count.toLocaleString("en") }) : null,
    ];
  });
  const words = `${label}: ${counted.filter(([, count]) => count > 0).map(([name, count]) => `${name}: ${count}`).join(", ") || "none"}`;
  return draw("svg", { class: "bars", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words }, draw("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT }), ...shown);
}

/** A bound in seconds, short enough for under a bar. @param {number} seconds */
function bound(seconds) {
  if (seconds < 120) return `${seconds}`;
  return seconds < 3_600 ? `${Math.round(seconds / 60)}m` : `${Math.round(seconds / 3_600)}h`;
}

/** The name under a bar. @param {Bucket} bucket @param {Bucket | undefined} before */
function upTo({ most }, before) {
  return most === null ? `>${bound(before?.most ?? 0)}` : `≤${bound(most)}`;
}

/** @param {Bucket[]} buckets */
export function histogram(buckets) {
  return bars("Commands by time to verify", buckets.map((bucket, at) => [upTo(bucket, buckets[at - 1]), bucket.count]));
}

/** @param {Bucket[]} buckets */
export function attemptBars(buckets) {
  const named = buckets.map((bucket, at) => {
    const before = buckets[at - 1]?.most ?? 0;
    return /** @type {[string, number]} */ ([bucket.most === null || bucket.most - before > 1 ? upTo(bucket, buckets[at - 1]) : String(bucket.most), bucket.count]);
  });
  return bars("Verified commands by attempts", named);
}

/** @param {import("../base/wire.js").WorstLight[]} worst */
export function worstTable(worst) {
  if (worst.length === 0) return el("p", { class: "hint", text: "No light had trouble in this time." });
  const head = el("tr", {}, ...["Light", "Verified", "Attempts", "p95", "Why"].map((name) => el("th", { scope: "col", text: name })));
  const rows = worst.map((light) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, el("a", { href: addressOf({ light: light.dev_eui }), text: light.name || light.dev_eui })),
      el("td", { text: `${light.verified} of ${light.commands}` }),
      el("td", { text: light.attempts_per_success === null ? "–" : light.attempts_per_success.toFixed(1) }),
      el("td", { text: quantile(light.time_to_verify_p95_s, light.verified, LEAST.p95) }),
      el("td", { class: "why", text: inZone(light.why) }),
    ),
  );
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Worst lights" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}
