// The log of events of one light, as a network server shows its live data: newest first, by kind, with the bytes
// beside what they say. It asks while it is unfolded: when that light changed (the live websocket says so), when
// the choice changes, and when older lines are wanted. The service's own lines are shown, never the websocket's.

import { ask, askFile, isMissing, troubleWords } from "../base/api.js";
import { clockTime, now } from "../base/clock.js";
import { el, setHidden, setText } from "../base/dom.js";
import { lamp } from "../base/lamp.js";
import { number } from "../base/locale.js";
import { known, t } from "../base/texts.js";
import { lightWords, told } from "../base/words.js";

/** @typedef {import("../base/wire.js").HistoryLine} HistoryLine */
/** @typedef {import("../base/wire.js").HistoryPage} HistoryPage */
/** @typedef {import("../base/store.js").Store} Store */

const PAGE = 100;
const ROWS_MOST = 1_000; // of some 10 elements each: a browser shows these without effort
const WEEK_S = 7 * 86_400; // as long as the service keeps them, unless told otherwise
const LATE_S = 900; // a line that an inquiry tells late has its own time, before that of newer ones
const QUIET_MS = 15_000; // what changes nothing of a light (a log, a position) is told by no websocket
const GONE_MS = 60_000;

/** Kinds of lines as people choose them. @type {Record<string, string[]>} */
const GROUPS = {
  up: ["status", "uplink", "stale"],
  down: ["downlink", "txack", "held", "not_sent", "refused", "dropped", "gateway_error", "queue"],
  joins: ["join", "session"],
  orders: ["command", "withdrawn"],
  inside: ["phase", "setup", "drift", "inquiry", "healed"],
};
const REASONS = ["note", "reason", "why", "problem", "unproven", "not_sent", "done", "text", "code", "asked", "dev_addr", "error"];

export class EventLog {
  #devEui;
  #store;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** @type {HistoryLine[]} newest first */
  #lines = [];
  /** @type {number | null} */
  #next = null;
  #choice = 0; // answers to an earlier choice of kinds are passed over; others may come in any order
  #closed = false;
  /** @type {ReturnType<typeof setInterval> | null} */
  #timer = null;
  #kinds = el("select", { name: "kinds" }, el("option", { value: "", text: t("log.all") }), ...Object.keys(GROUPS).map((group) => el("option", { value: group, text: known(`log.group.${group}`) ?? group })));
  #follow = el("input", { type: "checkbox", checked: true });
  #state = el("p", { class: "hint", role: "status", text: t("asking") });
  #list = el("ol", { class: "log-lines" });
  #older = el("button", { type: "button", class: "plain", hidden: true, text: t("log.older"), onclick: () => this.#ask(this.#next) });
  element = el(
    "details",
    { class: "log" },
    el("summary", {}, el("h3", { text: t("log.title") })),
    el("div", { class: "row log-filter" }, el("label", { class: "row" }, el("span", { text: t("log.kinds") }), this.#kinds), el("label", { class: "keep" }, this.#follow, el("span", { text: t("log.follow") })), this.#exportButton("csv", t("log.csv")), this.#exportButton("jsonl", t("log.jsonl"))),
    this.#state,
    this.#list,
    this.#older,
  );

  /** @param {string} devEui @param {Store} store */
  constructor(devEui, store) {
    this.#devEui = devEui;
    this.#store = store;
    this.element.addEventListener("toggle", () => this.#opened());
    this.#kinds.addEventListener("change", () => this.#again());
    this.#follow.addEventListener("change", () => this.changed());
  }

  close() {
    this.#closed = true;
    clearInterval(this.#timer ?? undefined);
  }

  /** Something happened to the light. */
  changed() {
    if (this.element.open && this.#follow.checked) this.#ask(null);
  }

  #opened() {
    clearInterval(this.#timer ?? undefined);
    if (!this.element.open || this.#closed) return;
    this.#again();
    this.#timer = setInterval(() => this.changed(), QUIET_MS);
  }

  #again() {
    this.#choice += 1;
    this.#rows.clear();
    this.#lines = [];
    this.#next = null;
    this.#list.replaceChildren();
    this.#ask(null);
  }

  #query() {
    return new URLSearchParams((GROUPS[this.#kinds.value] ?? []).map((kind) => ["kind", kind]));
  }

  /** @param {number | null} until where the lines before ended; null for what is new */
  async #ask(until) {
    const choice = this.#choice;
    const query = this.#query();
    const newest = this.#lines[0]?.at;
    const since = until === null && newest !== undefined ? newest - LATE_S : now() - WEEK_S;
    query.set("since", String(Math.max(0, since)));
    query.set("limit", String(PAGE));
    if (until !== null) query.set("until", String(until));
    try {
      const page = /** @type {HistoryPage} */ (await ask("GET", `api/v1/devices/${this.#devEui}/events?${query}`));
      if (choice === this.#choice && !this.#closed) this.#show(page, until !== null || newest === undefined);
    } catch (trouble) {
      if (choice !== this.#choice || this.#closed) return;
      setText(this.#state, isMissing(trouble) ? t("unavailable") : troubleWords(trouble));
      setHidden(this.#state, false);
    }
  }

  /** @param {HistoryPage} page @param {boolean} further whether it goes on behind what is shown */
  #show(page, further) {
    for (const line of page.events) {
      if (this.#rows.has(line.entry)) continue;
      this.#rows.set(line.entry, this.#row(line));
      const before = this.#lines.findIndex((one) => one.at < line.at);
      const place = before < 0 ? this.#lines.length : before;
      this.#list.insertBefore(/** @type {HTMLElement} */ (this.#rows.get(line.entry)), this.#rows.get(this.#lines[place]?.entry ?? "") ?? null);
      this.#lines.splice(place, 0, line);
    }
    for (const gone of this.#lines.splice(ROWS_MOST)) {
      this.#rows.get(gone.entry)?.remove();
      this.#rows.delete(gone.entry);
    }
    if (further) this.#next = page.next_until;
    setText(this.#state, t("log.none"));
    setHidden(this.#state, this.#lines.length > 0);
    setHidden(this.#older, this.#next === null || this.#lines.length >= ROWS_MOST);
  }

  /** @param {HistoryLine} line */
  #row(line) {
    const light = shown(line);
    const words = el("span", { class: "log-words" }, el("span", { class: "what", text: [known(`log.kind.${line.kind}`) ?? line.kind, ...(light === null ? [] : [lightWords(light)])].join(": ") }), el("span", { class: "hint", text: facts(line, this.#store) }), el("code", { class: "hint", text: String(line.detail.raw ?? "") }));
    const mark = lamp(light, { size: "small", hidden: true }); // the words stand beside it
    mark.hidden = light === null;
    mark.past = true;
    const summary = el("summary", {}, mark, words, line.detail.replayed ? el("span", { class: "tag", text: t("log.replayed"), title: t("log.replayed-means") }) : null, el("time", { class: "hint", text: clockTime(line.at) }));
    const details = Object.entries(line.detail).filter(([, value]) => value !== null && value !== "");
    const body = el("dl", {}, ...details.flatMap(([name, value]) => [el("dt", {}, el("code", { text: name })), el("dd", {}, el("code", { text: String(value) }))]));
    return el("li", { "data-kind-of-line": line.kind }, el("details", { class: "order" }, summary, body));
  }

  /** @param {"csv" | "jsonl"} format @param {string} text */
  #exportButton(format, text) {
    return el("button", { type: "button", class: "plain", text, onclick: () => this.#export(format) });
  }

  /** @param {"csv" | "jsonl"} format */
  async #export(format) {
    const query = this.#query();
    query.set("since", String(Math.max(0, now() - WEEK_S)));
    query.set("format", format);
    try {
      const address = URL.createObjectURL(await askFile(`api/v1/devices/${this.#devEui}/events?${query}`));
      el("a", { href: address, download: `events-${this.#devEui}.${format}` }).click();
      setTimeout(() => URL.revokeObjectURL(address), GONE_MS);
    } catch (trouble) {
      setText(this.#state, troubleWords(trouble));
      setHidden(this.#state, false);
    }
  }
}

/** What a status says, or a command wants. @param {HistoryLine} line @returns {import("../base/wire.js").Light | null} */
function shown(line) {
  const text = line.detail.shows ?? line.detail.light;
  const parts = typeof text === "string" ? text.split(",").map(Number) : [];
  if (parts.length !== 5 || parts.some(Number.isNaN)) return null;
  const [red, green, blue, on, off] = parts;
  return { red, green, blue, on, off };
}

/** The rest of a line in short. @param {HistoryLine} line @param {Store} store */
function facts(line, store) {
  const detail = line.detail;
  const found = [];
  if (typeof detail.rssi_dbm === "number" && typeof detail.snr_db === "number") found.push(t("log.heard", { rssi: number(detail.rssi_dbm), snr: number(detail.snr_db, 1), gateway: store.gatewayName(String(detail.gateway)) }));
  else if (typeof detail.gateway === "string") found.push(store.gatewayName(detail.gateway));
  if (typeof detail.became === "string") found.push(known(`log.became.${detail.became}`) ?? detail.became);
  if (typeof detail.carries === "string") found.push(known(`log.carries.${detail.carries}`) ?? detail.carries);
  if (typeof detail.before === "string" && typeof detail.after === "string") found.push(t("log.phase", { before: known(`log.phase.${detail.before}`) ?? detail.before, after: known(`log.phase.${detail.after}`) ?? detail.after }));
  for (const name of REASONS) if (typeof detail[name] === "string") found.push(told(detail[name]));
  return found.join(" · ");
}
