// How parts of the fleet came to other processes: a whole take-over is one line.

import { clockTime } from "../base/clock.js";
import { el } from "../base/dom.js";
import { number } from "../base/locale.js";
import { known, parts, t } from "../base/texts.js";

/** @typedef {import("../base/wire.js").ClusterMove} ClusterMove */

const LINES_MOST = 20;
const SHARDS_NAMED = 10;
// Moves between the same two within so long of each other belong together.
const ALIKE_S = 10;

/** @param {ClusterMove[]} moves the newest first */
export function moveList(moves) {
  if (moves.length === 0) return el("p", { class: "hint", text: t("move.none") });
  const lines = alike(moves).slice(0, LINES_MOST).map((group) => {
    const [{ at, why, before, after }] = group;
    const dark = Math.max(...group.map((move) => move.dark_s));
    const shards = group.slice(0, SHARDS_NAMED).map((move) => move.shard).join(", ");
    const named = group.length > SHARDS_NAMED ? t("move.shards-more", { shards, n: group.length - SHARDS_NAMED }) : t("move.shards", { shards });
    const who = { before: before ?? t("move.unknown"), after };
    const words = known(`move.${why}`, { ...who, n: group.length }) ?? t("move.other", { ...who, why });
    return el(
      "li",
      { "data-kind": why === "given" || why === "new" ? "quiet" : "held" },
      el("span", { class: "hint when", text: clockTime(at) }),
      el("span", {}, ...parts("move.words", { count: el("strong", { text: t("move.count", { n: group.length }) }), words }), el("span", { class: "hint", text: named })),
      el("span", { class: "hint dark", text: dark > 0 ? t("move.dark", { seconds: number(dark, 1) }) : "" }),
    );
  });
  return el("ul", { class: "moves" }, ...lines);
}

/** The newest group first; a take-over by several processes is told of each of them. @param {ClusterMove[]} moves */
function alike(moves) {
  /** @type {ClusterMove[][]} */
  const groups = [];
  /** @type {Map<string, ClusterMove[]>} */
  const newest = new Map();
  for (const move of moves) {
    const what = JSON.stringify([move.why, move.before, move.after]);
    let group = newest.get(what);
    if (group === undefined || group[0].at - move.at > ALIKE_S) {
      group = [];
      newest.set(what, group);
      groups.push(group);
    }
    group.push(move);
  }
  return groups;
}
