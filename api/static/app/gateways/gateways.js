// The page of the gateways: health and since when, the lights they hear, airtime, what waits, and when
// they were away. In the demonstration they can be stopped and started. A button asks; the card changes
// when the service says that the gateway did.

import { addressOf } from "../base/address.js";
import { ask, isMissing, troubleWords } from "../base/api.js";
import { now, timeAgo, timeFor } from "../base/clock.js";
import { arrange, el, setAttribute, setHidden, setText } from "../base/dom.js";
import { compare, number } from "../base/locale.js";
import { may } from "../base/may.js";
import { parts, t } from "../base/texts.js";
import { gradeLines } from "./grade.js";
import { OUTAGE_DAYS, outages } from "./outages.js";

/** @typedef {import("../base/store.js").Store} Store */
/** @typedef {import("../base/wire.js").Gateway} Gateway */

// A grade is over 24 h: a minute later it is hardly another.
const GRADE_MS = 60_000;

class GatewayCard {
  #name = el("h2", { class: "name" });
  #health = el("strong", { class: "health" });
  #since = timeFor(null);
  #heard = timeAgo(null);
  #meter = el("meter", { min: "0", max: "1", high: "0.9", optimum: "0", "aria-label": t("gateway.airtime-used") });
  #air = el("span", { class: "figure" });
  #pending = el("span");
  #lights = el("a", { href: "./" });
  #only = el("span", { class: "hint" });
  #unknown = el("p", { class: "hint", text: t("gateway.unlisted"), hidden: true });
  #grade = el("div", { class: "graded" }, el("p", { class: "hint", text: t("asking") }));
  #gradeAsked = "";
  #gradeAskedAt = -Infinity;
  #gradeTold = "";
  #history = el("div", { class: "history" }, el("p", { class: "hint", text: t("asking") }));
  #button = el("button", { type: "button", class: "plain", "data-needs": "POST /demo/gateways/{gateway_id}/{what}", hidden: true });
  #trouble = el("p", { class: "hint bad", role: "alert", hidden: true });
  #online = true;
  #askedFor = "";

  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.#button.addEventListener("click", () => this.#switch());
    const row = (/** @type {string} */ term, /** @type {(Node | string)[]} */ ...value) => el("div", {}, el("dt", { text: term }), el("dd", {}, ...value));
    this.element = el(
      "li",
      { class: "gateway", "data-gateway": id },
      el("header", { class: "row" }, el("span", { class: "dot" }), this.#name, this.#button),
      el("p", { class: "since" }, ...parts("gateway.for", { health: this.#health, span: this.#since })),
      el(
        "dl",
        {},
        row(t("gateway.lights-heard"), this.#lights, this.#only),
        row(t("gateway.last-uplink"), this.#heard),
        row(t("gateway.airtime"), el("span", { class: "air" }, this.#meter, this.#air)),
        row(t("gateway.pending"), this.#pending),
      ),
      this.#grade,
      this.#history,
      this.#unknown,
      this.#trouble,
    );
  }

  /** @param {Gateway} gateway @param {{heard: number, only: number}} lights @param {boolean} demo */
  update(gateway, lights, demo) {
    this.#online = gateway.online;
    setAttribute(this.element, "data-online", String(gateway.online));
    setText(this.#name, gateway.name || gateway.gateway_id);
    setAttribute(this.#name, "title", gateway.gateway_id);
    setText(this.#health, gateway.online ? t("gateway.online") : t("gateway.offline"));
    this.#since.at = gateway.since;
    this.#heard.at = gateway.heard_at;
    const { airtime_used_s: used, airtime_budget_s: budget } = gateway;
    setHidden(this.#meter, budget === null);
    if (budget !== null) setAttribute(this.#meter, "value", String(Math.min(1, used / budget)));
    setText(this.#air, budget === null ? t("gateway.used", { used: number(used, 1) }) : t("gateway.used-of", { used: number(used, 1), budget: number(budget, 0) }));
    setText(this.#pending, gateway.pending === 0 ? t("gateway.nothing") : t("gateway.frames", { n: gateway.pending }));
    setText(this.#lights, t("count.lights", { n: lights.heard }));
    setAttribute(this.#lights, "href", addressOf({ gateway: gateway.gateway_id }));
    setText(this.#only, lights.only === 0 ? "" : t("gateway.alone", { n: lights.only }));
    setHidden(this.#unknown, gateway.known);
    setHidden(this.#button, !demo);
    setText(this.#button, gateway.online ? t("gateway.stop") : t("gateway.start"));
    setAttribute(this.#button, "aria-label", gateway.online ? t("gateway.stop-name", { name: gateway.name }) : t("gateway.start-name", { name: gateway.name }));
    this.#askGrade(gateway);
    this.#askHistory(`${gateway.online} ${gateway.since}`);
  }

  /** Asked anew when the grade changed, and at most once a minute while something happens. @param {Gateway} gateway */
  async #askGrade(gateway) {
    if (!may("GET /api/v1/gateways/{gateway_id}/quality")) return;
    const state = `${gateway.grade} ${gateway.grade_line}`;
    const at = performance.now();
    if (state === this.#gradeAsked && at < this.#gradeAskedAt + GRADE_MS) return;
    this.#gradeAsked = state;
    this.#gradeAskedAt = at;
    if (gateway.grade === undefined) return void this.#grade.replaceChildren(); // an older service has none
    try {
      const quality = await ask("GET", `api/v1/gateways/${encodeURIComponent(this.id)}/quality`);
      const told = JSON.stringify(quality);
      if (told === this.#gradeTold) return;
      this.#gradeTold = told;
      this.#grade.replaceChildren(gradeLines(quality, this.#grade.querySelector("details")?.open ?? false));
    } catch (trouble) {
      this.#gradeTold = "";
      this.#grade.replaceChildren(el("p", { class: "hint", text: troubleWords(trouble) }));
    }
  }

  /** Asked anew when it came or went. @param {string} state */
  async #askHistory(state) {
    if (state === this.#askedFor) return;
    this.#askedFor = state;
    try {
      const answer = await ask("GET", `api/v1/gateways/${encodeURIComponent(this.id)}/outages?days=${OUTAGE_DAYS}`);
      this.#history.replaceChildren(outages(answer, now()));
    } catch (trouble) {
      const words = isMissing(trouble) ? t("gateway.no-outages") : troubleWords(trouble);
      this.#history.replaceChildren(el("p", { class: "hint", text: words }));
    }
  }

  async #switch() {
    this.#button.disabled = true;
    setHidden(this.#trouble, true);
    try {
      await ask("POST", `demo/gateways/${encodeURIComponent(this.id)}/${this.#online ? "stop" : "start"}`);
    } catch (trouble) {
      setText(this.#trouble, troubleWords(trouble));
      setHidden(this.#trouble, false);
    } finally {
      this.#button.disabled = false;
    }
  }
}

export class Gateways {
  #store;
  #list = el("ul", { class: "gateways" });
  #tally = el("p", { class: "found", role: "status" });
  /** @type {Map<string, GatewayCard>} */
  #cards = new Map();
  #demo = false;
  #stale = true;
  element = el("div", { class: "view" }, this.#tally, this.#list);
  /** Whether it is looked at: otherwise nothing is drawn or asked. */
  #open = false;

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
  }

  /** Whether this is the demonstration, whose gateways can be switched. @param {boolean} demo */
  set demo(demo) {
    this.#demo = demo;
    this.#draw();
  }

  /** @param {boolean} open */
  look(open) {
    this.#open = open;
    if (this.#stale) this.#draw();
  }

  /** @param {import("../base/store.js").Batch} batch */
  update(batch) {
    if (batch.all || batch.gateways.size > 0 || batch.devices.size > 0) this.#draw();
  }

  /** There are tens of gateways, not thousands: all are looked at, what is the same stays. */
  #draw() {
    this.#stale = !this.#open;
    if (!this.#open) return;
    const gateways = [...this.#store.gateways.values()].sort(
      (a, b) => Number(a.online) - Number(b.online) || compare(a.name || a.gateway_id, b.name || b.gateway_id),
    );
    for (const id of this.#cards.keys()) if (!this.#store.gateways.has(id)) this.#cards.delete(id);
    const heard = this.#heard();
    const elements = gateways.map((gateway) => {
      const id = gateway.gateway_id;
      let card = this.#cards.get(id);
      if (card === undefined) {
        card = new GatewayCard(id);
        this.#cards.set(id, card);
      }
      card.update(gateway, heard.get(id) ?? { heard: 0, only: 0 }, this.#demo);
      return card.element;
    });
    arrange(this.#list, elements);
    const online = gateways.filter((gateway) => gateway.online).length;
    setText(this.#tally, gateways.length === 0 ? t("gateway.none") : t("gateway.count", { online, total: gateways.length }));
  }

  /** How many lights every gateway hears, and how many it alone. */
  #heard() {
    /** @type {Map<string, {heard: number, only: number}>} */
    const counts = new Map();
    for (const device of this.#store.devices.values()) {
      for (const id of device.gateways) {
        const count = counts.get(id) ?? { heard: 0, only: 0 };
        count.heard += 1;
        if (device.gateways.length === 1) count.only += 1;
        counts.set(id, count);
      }
    }
    return counts;
  }
}
