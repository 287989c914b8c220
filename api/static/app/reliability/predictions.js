// How good the chances and warnings were, judged by what came. Pure. A figure says how many commands it
// rests on; a rule that is wrong too often here is said to be switched off.

import { duration } from "../base/clock.js";
import { draw, el } from "../base/dom.js";
import { RULE_MEANINGS, ruleWords } from "../base/expected.js";
import { plural, sentence } from "../base/words.js";

/** @typedef {import("../base/wire.js").Scores} Scores */
/** @typedef {import("../base/wire.js").RuleScore} RuleScore */

const WIDTH = 430;
const HEIGHT = 176;
const FOOT = 30;
const HEAD = 16;

/** @param {number | null} value @param {number} digits */
function figure(value, digits) {
  return value === null ? "–" : value.toFixed(digits);
}

/** A fading count as people count. @param {number} count */
function whole(count) {
  return Math.round(count).toLocaleString("en");
}

/** @param {Scores} scores */
export function predictions(scores) {
  if (scores.commands === 0 && scores.light_months === 0) return el("p", { class: "hint", text: "Nothing known yet." });
  return el(
    "div",
    { class: "figures" },
    el("p", { class: "hint", text: `${sentence(scores.sentence)}.` }),
    tiles(scores),
    scores.commands === 0 ? null : el("figure", {}, el("figcaption", { text: "Verified within 30 s: what came (bars) of what was said (lines), by the chance that was said" }), diagram(scores)),
    scores.rules.length === 0 ? null : rules(scores.rules),
  );
}

/** @param {Scores} scores */
function tiles(scores) {
  const tile = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ words) =>
    el("div", { class: "tile" }, el("dt", { text: name }), el("dd", {}, el("strong", { text: value }), el("span", { class: "hint", text: words })));
  const of = `of ${whole(scores.commands)} commands`;
  const error = scores.calibration_error;
  return el(
    "dl",
    { class: "tiles" },
    tile("Skill", figure(scores.skill, 2), `0 is no better than the fleet's mean, 1 is perfect; ${of}`),
    tile("Brier score", figure(scores.brier, 3), `0 is perfect; ${of}`),
    tile("Said and seen differ by", error === null ? "–" : `${(error * 100).toFixed(1)} %`, "on average over the bars"),
    tile("Silences announced", `${whole(scores.silences - scores.unannounced)} of ${whole(scores.silences)}`, "sudden deaths announce themselves by nothing"),
  );
}

/** @param {Scores} scores */
function diagram(scores) {
  const step = WIDTH / Math.max(1, scores.bins.length);
  const y = (/** @type {number} */ share) => (HEIGHT - FOOT - share * (HEIGHT - FOOT - HEAD)).toFixed(1);
  const shown = scores.bins.flatMap((bin, at) => {
    const left = at * step;
    return [
      bin.observed === null ? null : draw("rect", { class: "bar", x: (left + step * 0.14).toFixed(1), width: (step * 0.72).toFixed(1), y: y(bin.observed), height: (HEIGHT - FOOT - Number(y(bin.observed))).toFixed(1), rx: 2 }),
      bin.predicted === null ? null : draw("line", { class: "said", x1: (left + step * 0.04).toFixed(1), x2: (left + step * 0.96).toFixed(1), y1: y(bin.predicted), y2: y(bin.predicted) }),
      draw("text", { x: left + step / 2, y: HEIGHT - 17, "text-anchor": "middle", text: `${Math.round(bin.most * 100)} %` }),
      draw("text", { class: "count", x: left + step / 2, y: HEIGHT - 4, "text-anchor": "middle", text: whole(bin.count) }),
    ];
  });
  const words = scores.bins
    .filter((bin) => bin.predicted !== null && bin.observed !== null)
    .map((bin) => `up to ${Math.round(bin.most * 100)} %: said ${Math.round((bin.predicted ?? 0) * 100)} %, came ${Math.round((bin.observed ?? 0) * 100)} %, of ${whole(bin.count)}`);
  return draw(
    "svg",
    { class: "bars", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Chances said and what came: ${words.join("; ") || "none yet"}` },
    ...[0, 0.5, 1].map((share) => draw("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(share), y2: y(share) })),
    ...shown,
  );
}

/** @param {RuleScore[]} some */
function rules(some) {
  const head = el("tr", {}, ...["Warning", "Followed by a silence", "Before it", "False per light-month", ""].map((name) => el("th", { scope: "col", text: name })));
  const rows = some.map((rule) =>
    el(
      "tr",
      { "data-off": String(rule.switched_off) },
      el("th", { scope: "row", title: RULE_MEANINGS[rule.rule] ?? "", text: ruleWords(rule.rule) }),
      el("td", { text: rule.warnings === 0 ? "none given" : `${whole(rule.announced)} of ${plural(Math.round(rule.warnings), "warning")}` }),
      el("td", { text: rule.lead_h === null ? "–" : duration(rule.lead_h * 3_600) }),
      el("td", { text: figure(rule.false_per_light_month, 2) }),
      el("td", { class: "why" }, rule.switched_off ? el("strong", { text: "Switched off here. " }) : null, `${sentence(rule.words)}.`),
    ),
  );
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "How good each warning was" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}
