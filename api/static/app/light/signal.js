// How well each gateway heard the light: signal strength and signal-to-noise ratio over time. The rule
// it keeps: every gateway has a shape of its own beside its colour; the numbers are in the table below.

import { shortTime } from "../base/clock.js";
import { draw, el } from "../base/dom.js";
import { number } from "../base/locale.js";
import { t } from "../base/texts.js";

/** @typedef {import("../base/wire.js").SignalPoint} Point */

const WIDTH = 400;
const HEIGHT = 92;
const LEFT = 34;
const BOTTOM = 14;
const SERIES = 6; // shapes and colours; further gateways share the last
/** @type {((x: number, y: number) => string)[]} */
const SHAPES = [
  (x, y) => `M${x - 2.4} ${y}a2.4 2.4 0 1 0 4.8 0a2.4 2.4 0 1 0-4.8 0z`,
  (x, y) => `M${x - 2.2} ${y - 2.2}h4.4v4.4h-4.4z`,
  (x, y) => `M${x} ${y - 2.9}l2.9 5h-5.8z`,
  (x, y) => `M${x} ${y - 3}l3 3l-3 3l-3-3z`,
  (x, y) => `M${x - 2.8} ${y - 0.8}h5.6v1.6h-5.6z`,
  (x, y) => `M${x} ${y + 2.9}l2.9-5h-5.8z`,
];

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}

/**
 * Both plots with their legend.
 * @param {Point[]} points @param {(gatewayId: string) => string} nameOf @param {number} from @param {number} to Unix seconds
 */
export function signalPlots(points, nameOf, from, to) {
  if (points.length === 0) return el("p", { class: "hint", text: t("signal.none") });
  const counts = new Map();
  for (const { gateway_id: id } of points) counts.set(id, (counts.get(id) ?? 0) + 1);
  const gateways = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const legend = gateways.map((id, at) =>
    el("li", { class: `series-${Math.min(at, SERIES - 1)}` }, mark(at), `${nameOf(id)} `, el("span", { class: "hint", text: number(counts.get(id)) })),
  );
  return el(
    "div",
    { class: "signal" },
    plot(t("signal.rssi"), points, (point) => point.rssi_dbm, gateways, from, to),
    plot(t("signal.snr"), points, (point) => point.snr_db, gateways, from, to),
    el("ul", { class: "legend", "aria-label": t("signal.legend") }, ...legend),
  );
}

/** @param {number} at */
function mark(at) {
  return draw("svg", { viewBox: "0 0 10 10", width: 10, height: 10, "aria-hidden": "true" }, draw("path", { d: SHAPES[Math.min(at, SERIES - 1)](5, 5) }));
}

/**
 * @param {string} title @param {Point[]} points @param {(point: Point) => number} value @param {string[]} gateways
 * @param {number} from @param {number} to
 */
function plot(title, points, value, gateways, from, to) {
  const values = points.map(value);
  const least = Math.floor((Math.min(...values) - 2) / 5) * 5;
  const most = Math.ceil((Math.max(...values) + 2) / 5) * 5;
  const x = (/** @type {number} */ at) => round(LEFT + ((at - from) / Math.max(1, to - from)) * (WIDTH - LEFT - 6));
  const y = (/** @type {number} */ one) => round(9 + ((most - one) / (most - least)) * (HEIGHT - BOTTOM - 14));
  const lines = [least, (least + most) / 2, most].flatMap((level) => [
    draw("line", { class: "grid", x1: LEFT, x2: WIDTH - 6, y1: y(level), y2: y(level) }),
    draw("text", { x: LEFT - 5, y: y(level) + 3, "text-anchor": "end", text: number(level, 0) }),
  ]);
  const series = gateways.map((id, at) => {
    const shape = SHAPES[Math.min(at, SERIES - 1)];
    const d = points.filter((point) => point.gateway_id === id).map((point) => shape(x(point.at), y(value(point)))).join("");
    return draw("path", { class: `series-${Math.min(at, SERIES - 1)}`, d });
  });
  const words = t("signal.range", { title, least: Math.round(Math.min(...values)), most: Math.round(Math.max(...values)), n: points.length });
  return el(
    "figure",
    {},
    el("figcaption", { text: title }),
    draw(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words },
      ...lines,
      ...series,
      draw("text", { x: LEFT, y: HEIGHT - 1, text: shortTime(from) }),
      draw("text", { x: WIDTH - 6, y: HEIGHT - 1, "text-anchor": "end", text: t("signal.now") }),
    ),
  );
}
