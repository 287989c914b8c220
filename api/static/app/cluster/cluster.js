// The page of the processes that serve the fleet: who they are, who owns which part of it, and how parts
// moved. It asks every 2 s while it is looked at; else now and then, for its number in the head of the page.

import { ask, isMissing, troubleWords } from "../base/api.js";
import { span, timeAgo } from "../base/clock.js";
import { el, icon } from "../base/dom.js";
import { number } from "../base/locale.js";
import { may, mayNot } from "../base/may.js";
import { known, t } from "../base/texts.js";
import { moveList } from "./moves.js";
import { lettersOf, ownerMark, shardMap, shardTable } from "./shards.js";

/** @typedef {import("../base/wire.js").ClusterTold} ClusterTold */
/** @typedef {import("../base/wire.js").ClusterMember} ClusterMember */

const OPEN_MS = 2_000;
const CLOSED_MS = 15_000;
// A look at the engine, or a change that is not shown, that is older is pointed out.
const OLD_S = 5;
const BEHIND_S = 3;
const CLOCK_S = 1;

/** @type {Record<string, string>} */
const MEMBER_KINDS = { alive: "verified", leaving: "held", silent: "failed" };
/** @type {Record<string, string>} */
const STORE_WORDS = { sqlite: t("kept.sqlite"), memory: t("kept.memory"), redis: t("kept.one"), rediss: t("kept.one"), unix: t("kept.one"), "redis+sentinel": t("kept.sentinel"), "rediss+sentinel": t("kept.sentinel"), "redis+cluster": t("kept.cluster"), "rediss+cluster": t("kept.cluster") };

export class Cluster {
  #told;
  #state = el("div", { class: "standing-lines" }, el("p", { class: "hint", text: t("asking") }));
  #members = el("div");
  #map = el("div");
  #table = el("details", { class: "every-shard" }, el("summary", { text: t("cluster.every-shard") }));
  #moves = el("div");
  #divided;
  #open = false;
  #many = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ClusterTold | null} */
  #shown = null;

  /** @param {(cluster: ClusterTold | null) => void} told what is known of the cluster; null of an older service */
  constructor(told) {
    this.#told = told;
    const card = (/** @type {string} */ id, /** @type {string} */ title, /** @type {Node[]} */ ...inner) => el("section", { class: `sheet ${id}`, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title`, text: title }), ...inner);
    this.#divided = [card("is-shards", t("cluster.parts"), this.#map, this.#table), card("is-moves", t("cluster.moves"), this.#moves)];
    this.element = el("div", { class: "view cluster" }, card("is-members", t("cluster.processes"), this.#state, this.#members), ...this.#divided);
    this.#table.addEventListener("toggle", () => this.#showTable());
  }

  /** @param {boolean} open */
  look(open) {
    const came = open && !this.#open;
    this.#open = open;
    if (came) this.ask();
  }

  /** Ask now; and from then on by itself. */
  async ask() {
    clearTimeout(this.#timer);
    if (!may("GET /api/v1/cluster")) {
      if (mayNot("GET /api/v1/cluster")) this.#told(null);
      this.#state.replaceChildren(el("p", { class: "hint", text: mayNot("GET /api/v1/cluster") ? t("caller.limited") : t("asking") }));
      return;
    }
    try {
      this.#show(await ask("GET", "api/v1/cluster"));
    } catch (trouble) {
      this.#shown = null;
      const older = isMissing(trouble);
      if (older) this.#told(null);
      this.#state.replaceChildren(el("p", { class: older ? "hint" : "bad", text: older ? t("cluster.older") : troubleWords(trouble) }));
    }
    if (this.#open || this.#many) this.#timer = setTimeout(() => this.ask(), this.#open ? OPEN_MS : CLOSED_MS);
  }

  /** @param {ClusterTold} cluster */
  #show(cluster) {
    this.#shown = cluster;
    this.#many = cluster.mode === "cluster";
    this.#told(cluster);
    if (!this.#open) return;
    this.#state.replaceChildren(...standing(cluster));
    this.#members.replaceChildren(memberTable(cluster));
    for (const card of this.#divided) card.hidden = !this.#many;
    this.#map.replaceChildren(shardMap(cluster));
    this.#moves.replaceChildren(moveList(cluster.moves));
    this.#showTable();
  }

  #showTable() {
    const [summary] = this.#table.children;
    const rows = this.#table.open && this.#shown !== null ? [shardTable(this.#shown)] : [];
    const scrolled = this.#table.querySelector(".scrolls")?.scrollTop ?? 0;
    this.#table.replaceChildren(summary, ...rows);
    for (const row of rows) row.scrollTop = scrolled;
  }
}

/** What is wrong, or that nothing is. @param {ClusterTold} cluster */
function standing(cluster) {
  const { store } = cluster;
  const line = (/** @type {string} */ kind, /** @type {string} */ words) =>
    el("p", { class: "row told", "data-kind": kind }, el("span", { class: "badge" }, icon(kind === "verified" ? "verified" : kind === "quiet" ? "quiet" : "warning")), el("span", { text: words }));
  const kept = STORE_WORDS[store.kind] ?? store.kind;
  const lines = [];
  if (cluster.mode === "embedded") {
    lines.push(line("quiet", t("cluster.alone", { kept })));
  } else {
    const alive = cluster.members.filter((member) => member.state === "alive").length;
    const need = store.need === null || store.need === 0 ? "" : ` ${t("cluster.replicas", { n: store.need })}`;
    lines.push(line(alive === cluster.members.length ? "verified" : "failed", `${t("cluster.alive", { alive, n: cluster.members.length, kept })}${need}`));
    const taken = cluster.lease_s === null ? "" : ` ${t("cluster.taken", { seconds: 2 * cluster.lease_s })}`;
    if (cluster.shards_unowned === 0) lines.push(line("verified", t("cluster.all-owned", { total: cluster.shards_total })));
    else lines.push(line("failed", `${t("cluster.unowned", { unowned: cluster.shards_unowned, total: cluster.shards_total })}${taken}`));
    if (cluster.looked_at === null) lines.push(line("failed", t("cluster.unseen")));
    else if (cluster.at - cluster.looked_at > OLD_S) lines.push(line("failed", t("cluster.old", { span: span(cluster.at - cluster.looked_at) })));
    if (cluster.behind_s !== null && cluster.behind_s > BEHIND_S) lines.push(line("held", t("cluster.behind", { span: span(cluster.behind_s) })));
  }
  if (store.problem !== null) lines.push(line("failed", t("cluster.store-problem", { problem: store.problem })));
  if (store.replayed > 0) lines.push(line("quiet", t("cluster.replayed", { n: store.replayed })));
  if (store.lost > 0) lines.push(line("held", t("cluster.lost", { n: store.lost })));
  for (const warning of store.warnings) lines.push(line("held", t("cluster.not-durable", { warning })));
  return lines;
}

/** @param {ClusterTold} cluster */
function memberTable(cluster) {
  const marks = lettersOf(cluster);
  const many = cluster.mode === "cluster";
  const names = [t("member.process"), t("member.state"), ...(many ? [t("member.shards")] : []), t("member.lights"), t("member.network"), t("member.version"), ...(many ? [t("member.heard")] : [])];
  const head = el("tr", {}, ...names.map((name) => el("th", { scope: "col", text: name })));
  const rows = cluster.members.map((member) => memberRow(member, many, marks.get(member.boot)));
  return el("div", { class: "scrolls", tabindex: "0", role: "group", "aria-label": t("cluster.processes") }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}

/** @param {ClusterMember} member @param {boolean} many @param {{letter: string, colour: string} | undefined} mark */
function memberRow(member, many, mark) {
  const named = known(`member.${member.state}`) ?? member.state;
  const state = Math.abs(member.clock_ahead_s) <= CLOCK_S ? named : t("member.clock", { state: named, ahead: `${member.clock_ahead_s > 0 ? "+" : ""}${number(member.clock_ahead_s, 1)}` });
  return el(
    "tr",
    { "data-member": member.boot, "data-kind": MEMBER_KINDS[member.state] ?? "quiet" },
    el("th", { scope: "row", title: t("member.boot", { boot: member.boot }) }, many ? ownerMark(mark) : null, el("strong", { text: member.name }), member.answering ? el("span", { class: "hint", text: ` ${t("member.answers-you")}` }) : null),
    el("td", {}, el("span", { class: "state" }, el("span", { class: "badge" }, icon(member.state === "alive" ? "verified" : member.state === "leaving" ? "held" : "failed")), state)),
    many ? el("td", {}, number(member.shards), member.fleet ? el("span", { class: "hands-out", title: t("member.fleet-means"), text: t("member.fleet") }) : null) : null,
    el("td", { text: number(member.lights) }),
    member.sees_network ? el("td", { text: t("member.answers") }) : el("td", { class: "bad", text: t("member.no-answer") }),
    el("td", { text: member.version }),
    many ? el("td", {}, timeAgo(member.heard_at)) : null,
  );
}
