// The parts of the fleet as a map: a cell for each, with the letter of the process that owns it. A part
// that nobody sees to is hatched, and has no letter of its own colour.

import { timeFor } from "../base/clock.js";
import { el } from "../base/dom.js";
import { number } from "../base/locale.js";
import { known, t } from "../base/texts.js";

/** @typedef {import("../base/wire.js").ClusterTold} ClusterTold */
/** @typedef {import("../base/wire.js").ClusterShard} ClusterShard */

/** @param {ClusterShard} shard */
function stateWords({ state }) {
  return known(`shard.${state}`) ?? state;
}

// So many processes have a colour of their own; the letter tells all of them apart.
const COLOURS = 8;

/** The letter of each process by its boot, in the order of the list. @param {ClusterTold} cluster @returns {Map<string, {letter: string, colour: string}>} */
export function lettersOf(cluster) {
  return new Map(cluster.members.map((member, at) => [member.boot, { letter: String.fromCharCode(65 + (at % 26)), colour: String(at % COLOURS) }]));
}

/** @param {{letter: string, colour: string} | undefined} mark */
export function ownerMark(mark) {
  return el("span", { class: "owner", "data-owner": mark?.colour ?? "none", "aria-hidden": "true", text: mark?.letter ?? "?" });
}

/** @param {ClusterTold} cluster */
export function shardMap(cluster) {
  const marks = lettersOf(cluster);
  const names = namesOf(cluster);
  const cells = cluster.shards.map((shard) => {
    const mark = shard.owner === null ? undefined : marks.get(shard.owner);
    const told = { shard: shard.shard, state: stateWords(shard), n: shard.lights };
    const words = shard.owner === null ? t("shard.words", told) : t("shard.words-owner", { ...told, owner: names.get(shard.owner) ?? shard.owner });
    return el("span", { class: shard.shard === "fleet" ? "shard is-fleet" : "shard", "data-shard": shard.shard, "data-owner": mark?.colour ?? "none", "data-state": shard.state, title: words, text: shard.shard === "fleet" ? t("shard.fleet", { letter: mark?.letter ?? "?" }) : (mark?.letter ?? "") });
  });
  return el("div", { class: "shards", role: "img", "aria-label": mapWords(cluster) }, ...cells);
}

/** The map in a sentence. @param {ClusterTold} cluster */
function mapWords(cluster) {
  const owned = cluster.members.filter((member) => member.shards > 0 || member.fleet).map((member) => t(member.fleet ? "shard.owner-fleet" : "shard.owner", { name: member.name, n: member.shards }));
  const map = t("shard.map", { owners: owned.join(", ") || t("shard.none") });
  return cluster.shards_unowned === 0 ? map : t("shard.map-unowned", { map, n: cluster.shards_unowned });
}

/** @param {ClusterTold} cluster */
export function namesOf(cluster) {
  return new Map(cluster.members.map((member) => [member.boot, member.name]));
}

/** Every part with its figures. @param {ClusterTold} cluster */
export function shardTable(cluster) {
  const names = namesOf(cluster);
  const head = el("tr", {}, ...[t("shard.shard"), t("shard.state"), t("shard.owner-name"), t("shard.for"), t("shard.epoch"), t("shard.commits"), t("shard.lights"), t("shard.behind")].map((name) => el("th", { scope: "col", text: name })));
  const rows = cluster.shards.map((shard) =>
    el(
      "tr",
      { "data-kind": shard.state === "owned" ? "verified" : "failed" },
      el("th", { scope: "row", text: shard.shard }),
      el("td", { class: shard.state === "owned" ? null : "bad", text: stateWords(shard) }),
      el("td", { text: shard.owner === null ? "–" : (names.get(shard.owner) ?? shard.owner) }),
      el("td", {}, timeFor(shard.since)),
      el("td", { text: String(shard.epoch) }),
      el("td", { text: number(shard.seq) }),
      el("td", { text: number(shard.lights) }),
      el("td", { text: shard.behind === null ? "–" : number(shard.behind) }),
    ),
  );
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": t("cluster.every-shard") }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}
