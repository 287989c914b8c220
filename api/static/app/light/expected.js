// What is to be expected of one light: the sentence with its evidence, the warnings, and both directions
// and the margin day by day. Pure. The rule it keeps: each direction has a shape of its own beside its
// colour, a day without figures is a gap, and every figure is in the table below.

import { chanceWords, lossWords, ruleWords } from "../base/expected.js";
import { shortTime, utcDay } from "../base/clock.js";
import { draw, el, icon } from "../base/dom.js";
import { anchorOfQuality, helpLink } from "../base/help.js";
import { number } from "../base/locale.js";
import { said } from "../base/said.js";
import { parts, t } from "../base/texts.js";
import { sentence } from "../base/words.js";

/** @typedef {import("../base/wire.js").LightQuality} Quality */
/** @typedef {import("../base/wire.js").LightDay} Day */
/** @typedef {{name: string, value: (day: Day) => number | null, at: number}} Series */

const WIDTH = 400;
const HEIGHT = 92;
const LEFT = 34;
const BOTTOM = 14;
/** @type {((x: number, y: number) => string)[]} */
const SHAPES = [
  (x, y) => `M${x - 3} ${y}a3 3 0 1 0 6 0a3 3 0 1 0-6 0z`,
  (x, y) => `M${x - 2.7} ${y - 2.7}h5.4v5.4h-5.4z`,
  (x, y) => `M${x} ${y - 3.4}l3.4 3.4l-3.4 3.4l-3.4-3.4z`,
];
/** @type {Series[]} */
const DIRECTIONS = [
  { name: t("expected.from"), at: 0, value: (day) => (day.uplink_loss === null ? null : day.uplink_loss * 100) },
  { name: t("expected.to"), at: 1, value: (day) => (day.downlink_loss === null ? null : day.downlink_loss * 100) },
];
/** @type {Series[]} */
const MARGIN = [{ name: t("expected.margin"), at: 2, value: (day) => day.margin_db }];

/** The section of the panel; undefined for an older service, null while nothing is known. @param {Quality | null | undefined} quality */
export function expected(quality) {
  if (quality === undefined) return el("p", { class: "hint", text: t("unavailable") });
  if (quality === null) return el("p", { class: "hint", text: t("nothing-known") });
  const warnings = quality.warnings.map((warning) =>
    el("li", {}, icon("warning"), el("span", {}, ...parts("expected.warning", { rule: el("strong", { text: ruleWords(warning.rule) }), words: said(warning.words), since: shortTime(warning.since) }), helpLink(anchorOfQuality(warning.rule), ruleWords(warning.rule)))),
  );
  const days = quality.days.filter((day) => day.margin_db !== null || day.uplinks_counted > 0 || day.downlinks_counted > 0);
  return el(
    "div",
    { class: "expected" },
    quality.chance_30s === null ? null : el("p", {}, ...parts("expected.chance", { chance: el("strong", { text: chanceWords(quality.chance_30s) }) })),
    el("p", { class: "hint", text: t("sentence", { text: sentence(quality.sentence) }) }),
    warnings.length === 0 ? null : el("ul", { class: "warnings" }, ...warnings),
    days.length === 0 ? null : plots(quality.days),
    days.length === 0 ? null : table(days),
  );
}

/** @param {Day[]} days */
function plots(days) {
  const legend = DIRECTIONS.map(({ name, at }) =>
    el("li", { class: `series-${at}` }, draw("svg", { viewBox: "0 0 10 10", width: 10, height: 10, "aria-hidden": "true" }, draw("path", { d: SHAPES[at](5, 5) })), name),
  );
  return el("div", { class: "signal" }, plot(t("expected.lost"), days, DIRECTIONS, 0), el("ul", { class: "legend" }, ...legend), plot(t("expected.margin-db"), days, MARGIN));
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}

/** @param {string} title @param {Day[]} days oldest first @param {Series[]} series @param {number} [floor] where the scale begins, if it is fixed */
function plot(title, days, series, floor) {
  const known = series.flatMap(({ value }) => days.map(value)).filter((value) => value !== null);
  if (known.length === 0) return null;
  const least = floor ?? Math.floor((Math.min(...known) - 1) / 5) * 5;
  const most = Math.max(least + 10, Math.ceil((Math.max(...known) + 1) / 5) * 5);
  const [from, to] = [days[0].at, days[days.length - 1].at];
  const x = (/** @type {number} */ at) => round(LEFT + 6 + ((at - from) / Math.max(1, to - from)) * (WIDTH - LEFT - 18));
  const y = (/** @type {number} */ one) => round(9 + ((most - one) / (most - least)) * (HEIGHT - BOTTOM - 14));
  const grid = [least, (least + most) / 2, most].flatMap((level) => [
    draw("line", { class: "grid", x1: LEFT, x2: WIDTH - 6, y1: y(level), y2: y(level) }),
    draw("text", { x: LEFT - 5, y: y(level) + 3, "text-anchor": "end", text: number(round(level)) }),
  ]);
  const drawn = series.flatMap(({ value, at }) => {
    let track = "";
    let marks = "";
    let gap = true;
    for (const day of days) {
      const one = value(day);
      if (one !== null) {
        track += `${gap ? "M" : "L"}${x(day.at)} ${y(one)}`;
        marks += SHAPES[at](x(day.at), y(one));
      }
      gap = one === null;
    }
    return [draw("path", { class: `track series-${at}`, d: track }), draw("path", { class: `series-${at}`, d: marks })];
  });
  const words = series.map(({ name, value }) => t("expected.series", { name, values: days.map(value).map((one) => (one === null ? t("expected.unknown") : number(round(one)))).reduce((all, value) => t("expected.values", { all, value })) }));
  return el(
    "figure",
    {},
    el("figcaption", { text: title }),
    draw(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("expected.plot", { title, from: utcDay(from), to: utcDay(to), series: words.join(". ") }) },
      ...grid,
      ...drawn,
      draw("text", { x: LEFT, y: HEIGHT - 1, text: utcDay(from) }),
      draw("text", { x: WIDTH - 6, y: HEIGHT - 1, "text-anchor": "end", text: utcDay(to) }),
    ),
  );
}

/** @param {Day[]} days */
function table(days) {
  const head = el("tr", {}, ...[t("expected.day"), t("expected.lost-from"), t("expected.lost-to"), t("expected.margin")].map((name) => el("th", { scope: "col", text: name })));
  const rows = [...days].reverse().map((day) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", text: utcDay(day.at) }),
      el("td", { text: lossWords(day.uplink_loss, day.uplinks_counted) }),
      el("td", { text: lossWords(day.downlink_loss, day.downlinks_counted) }),
      el("td", { text: day.margin_db === null ? "–" : t("db", { value: number(day.margin_db, 0) }) }),
    ),
  );
  return el("details", {}, el("summary", { class: "hint", text: t("expected.by-day") }), el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}
