// How parts of the fleet came to other processes: a whole take-over is one line.

import { clockTime } from "../base/clock.js";
import { el } from "../base/dom.js";

/** @typedef {import("../base/wire.js").ClusterMove} ClusterMove */

const LINES_MOST = 20;
const SHARDS_NAMED = 10;
// Moves between the same two within so long of each other belong together.
const ALIKE_S = 10;

/** @type {Record<string, (before: string, after: string, them: string) => string>} */
const WORDS = {
  expired: (before, after, them) => `${after} took ${them} from ${before}, which gave no sign of life`,
  given: (before, after, them) => `${before} gave ${them} to ${after}`,
  new: (_, after, them) => `${after} took ${them} for the first time`,
  forgotten: (_, after, them) => `${after} took ${them} anew: a failover had lost the take before`,
};

/** @param {ClusterMove[]} moves the newest first */
export function moveList(moves) {
  if (moves.length === 0) return el("p", { class: "hint", text: "None since this process began." });
  const lines = alike(moves).slice(0, LINES_MOST).map((group) => {
    const [{ at, why, before, after }] = group;
    const dark = Math.max(...group.map((move) => move.dark_s));
    const shards = group.slice(0, SHARDS_NAMED).map((move) => move.shard).join(", ");
    const more = group.length > SHARDS_NAMED ? ` and ${group.length - SHARDS_NAMED} more` : "";
    const words = (WORDS[why] ?? ((/** @type {string} */ from, /** @type {string} */ to) => `${from} to ${to}: ${why}`))(before ?? "an unknown process", after, group.length === 1 ? "it" : "them");
    return el(
      "li",
      { "data-kind": why === "given" || why === "new" ? "quiet" : "held" },
      el("span", { class: "hint when", text: clockTime(at) }),
      el("span", {}, el("strong", { text: group.length === 1 ? "1 shard" : `${group.length} shards` }), `: ${words}`, el("span", { class: "hint", text: ` (${shards}${more})` })),
      el("span", { class: "hint dark", text: dark > 0 ? `nobody's for ${dark.toFixed(1)} s` : "" }),
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
