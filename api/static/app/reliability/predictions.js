// How good the chances and warnings were, judged by what came. Pure. A figure says how many commands it
// rests on; a rule that is wrong too often here is said to be switched off.

import { duration } from "../base/clock.js";
import { draw, el } from "../base/dom.js";
import { percent, ruleMeaning, ruleWords } from "../base/expected.js";
import { number } from "../base/locale.js";
import { t } from "../base/texts.js";
import { sentence } from "../base/words.js";

/** @typedef {import("../base/wire.js").Scores} Scores */
/** @typedef {import("../base/wire.js").RuleScore} RuleScore */

const WIDTH = 430;
const HEIGHT = 176;
const FOOT = 30;
const HEAD = 16;

/** @param {number | null} value @param {number} digits */
function figure(value, digits) {
  return value === null ? "–" : number(value, digits);
}

/** A fading count as people count. @param {number} count */
function whole(count) {
  return number(Math.round(count));
}

/** @param {Scores} scores */
export function predictions(scores) {
  if (scores.commands === 0 && scores.light_months === 0) return el("p", { class: "hint", text: t("nothing-known") });
  return el(
    "div",
    { class: "figures" },
    el("p", { class: "hint", text: t("sentence", { text: sentence(scores.sentence) }) }),
    tiles(scores),
    scores.commands === 0 ? null : el("figure", {}, el("figcaption", { text: t("score.caption") }), diagram(scores)),
    scores.rules.length === 0 ? null : rules(scores.rules),
  );
}

/** @param {Scores} scores */
function tiles(scores) {
  const tile = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ words) =>
    el("div", { class: "tile" }, el("dt", { text: name }), el("dd", {}, el("strong", { text: value }), el("span", { class: "hint", text: words })));
  const of = t("score.of", { n: Math.round(scores.commands) });
  const error = scores.calibration_error;
  return el(
    "dl",
    { class: "tiles" },
    tile(t("score.skill"), figure(scores.skill, 2), t("score.skill-means", { of })),
    tile(t("score.brier"), figure(scores.brier, 3), t("score.brier-means", { of })),
    tile(t("score.error"), error === null ? "–" : percent(error * 100, 1), t("score.error-means")),
    tile(t("score.silences"), t("score.some-of", { some: whole(scores.silences - scores.unannounced), all: whole(scores.silences) }), t("score.silences-means")),
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
      draw("text", { x: left + step / 2, y: HEIGHT - 17, "text-anchor": "middle", text: percent(bin.most * 100) }),
      draw("text", { class: "count", x: left + step / 2, y: HEIGHT - 4, "text-anchor": "middle", text: whole(bin.count) }),
    ];
  });
  const words = scores.bins
    .filter((bin) => bin.predicted !== null && bin.observed !== null)
    .map((bin) => t("score.bar", { most: percent(bin.most * 100), said: percent((bin.predicted ?? 0) * 100), came: percent((bin.observed ?? 0) * 100), count: whole(bin.count) }));
  return draw(
    "svg",
    { class: "bars", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("score.bars", { bars: words.join("; ") || t("score.none-yet") }) },
    ...[0, 0.5, 1].map((share) => draw("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(share), y2: y(share) })),
    ...shown,
  );
}

/** @param {RuleScore[]} some */
function rules(some) {
  const head = el("tr", {}, ...[t("score.warning"), t("score.followed"), t("score.before"), t("score.false"), t("score.judged")].map((name) => el("th", { scope: "col", text: name })));
  const rows = some.map((rule) =>
    el(
      "tr",
      { "data-off": String(rule.switched_off) },
      el("th", { scope: "row", title: ruleMeaning(rule.rule), text: ruleWords(rule.rule) }),
      el("td", { text: rule.warnings === 0 ? t("score.none-given") : t("score.warnings", { some: whole(rule.announced), n: Math.round(rule.warnings) }) }),
      el("td", { text: rule.lead_h === null ? "–" : duration(rule.lead_h * 3_600) }),
      el("td", { text: figure(rule.false_per_light_month, 2) }),
      el("td", { class: "why" }, rule.switched_off ? el("strong", { text: t("score.off") }) : null, rule.switched_off ? " " : null, t("sentence", { text: sentence(rule.words) })),
    ),
  );
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": t("score.rules") }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}
