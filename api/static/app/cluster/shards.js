// The parts of the fleet as a map: a cell for each, with the letter of the process that owns it. A part
// that nobody sees to is hatched, and has no letter of its own colour.

import { timeFor } from "../base/clock.js";
import { el } from "../base/dom.js";
import { plural } from "../base/words.js";

/** @typedef {import("../base/wire.js").ClusterTold} ClusterTold */
/** @typedef {import("../base/wire.js").ClusterShard} ClusterShard */

/** @type {Record<string, string>} */
const STATE_WORDS = { owned: "owned", expired: "owner silent", free: "free", lost: "lease lost", unknown: "not seen yet" };
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
    const words = `${shard.shard}: ${STATE_WORDS[shard.state] ?? shard.state}${shard.owner === null ? "" : `, ${names.get(shard.owner) ?? shard.owner}`}, ${plural(shard.lights, "light")}`;
    return el("span", { class: shard.shard === "fleet" ? "shard is-fleet" : "shard", "data-shard": shard.shard, "data-owner": mark?.colour ?? "none", "data-state": shard.state, title: words, text: shard.shard === "fleet" ? `fleet ${mark?.letter ?? "?"}` : (mark?.letter ?? "") });
  });
  return el("div", { class: "shards", role: "img", "aria-label": mapWords(cluster) }, ...cells);
}

/** The map in a sentence. @param {ClusterTold} cluster */
function mapWords(cluster) {
  const owned = cluster.members.filter((member) => member.shards > 0 || member.fleet).map((member) => `${member.name} ${member.shards}${member.fleet ? " and the fleet's own" : ""}`);
  const none = cluster.shards_unowned === 0 ? "" : `; ${cluster.shards_unowned} without an owner that is alive`;
  return `Shards by owner: ${owned.join(", ") || "none"}${none}`;
}

/** @param {ClusterTold} cluster */
export function namesOf(cluster) {
  return new Map(cluster.members.map((member) => [member.boot, member.name]));
}

/** Every part with its figures. @param {ClusterTold} cluster */
export function shardTable(cluster) {
  const names = namesOf(cluster);
  const head = el("tr", {}, ...["Shard", "State", "Owner", "For", "Epoch", "Commits", "Lights", "Behind"].map((name) => el("th", { scope: "col", text: name })));
  const rows = cluster.shards.map((shard) =>
    el(
      "tr",
      { "data-kind": shard.state === "owned" ? "verified" : "failed" },
      el("th", { scope: "row", text: shard.shard }),
      el("td", { class: shard.state === "owned" ? null : "bad", text: STATE_WORDS[shard.state] ?? shard.state }),
      el("td", { text: shard.owner === null ? "–" : (names.get(shard.owner) ?? shard.owner) }),
      el("td", {}, timeFor(shard.since)),
      el("td", { text: String(shard.epoch) }),
      el("td", { text: shard.seq.toLocaleString("en") }),
      el("td", { text: shard.lights.toLocaleString("en") }),
      el("td", { text: shard.behind === null ? "–" : shard.behind.toLocaleString("en") }),
    ),
  );
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Every shard" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}
