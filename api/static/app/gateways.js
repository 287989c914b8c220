// The gateways: health and since when, what waits for them, how much of their airtime is used. In
// the demonstration they can be stopped and started. The rule it keeps: a button asks; the card
// changes when the service says that the gateway did.

import { Trouble, ask } from "./api.js";
import { timeAgo, timeFor } from "./clock.js";
import { arrange, el, setAttribute, setHidden, setText } from "./dom.js";

class GatewayCard {
  #name = el("span", { class: "name" });
  #health = el("span", { class: "health" });
  #since = timeFor(null);
  #heard = timeAgo(null);
  #meter = el("meter", { min: "0", max: "1", high: "0.9", optimum: "0" });
  #air = el("span", { class: "figure" });
  #pending = el("span", { class: "figure" });
  #unknown = el("p", { class: "hint", text: "ChirpStack does not list this gateway for our key.", hidden: true });
  #button = el("button", { type: "button", class: "plain", hidden: true });
  #trouble = el("p", { class: "hint bad", role: "alert", hidden: true });
  #online = true;

  constructor(id) {
    this.id = id;
    this.#button.addEventListener("click", () => this.#switch());
    this.element = el(
      "li",
      { class: "gateway", "data-gateway": id },
      el("p", { class: "row" }, el("span", { class: "dot" }), this.#name, this.#button),
      el("p", { class: "hint" }, this.#health, " for ", this.#since, ", heard a light ", this.#heard),
      el("p", { class: "row air" }, this.#meter, this.#air),
      this.#pending,
      this.#unknown,
      this.#trouble,
    );
  }

  update(gateway, demo) {
    this.#online = gateway.online;
    setAttribute(this.element, "data-online", String(gateway.online));
    setText(this.#name, gateway.name || gateway.gateway_id);
    setAttribute(this.#name, "title", gateway.gateway_id);
    setText(this.#health, gateway.online ? "Online" : "Offline");
    this.#since.at = gateway.since;
    this.#heard.at = gateway.heard_at;
    const { airtime_used_s: used, airtime_budget_s: budget } = gateway;
    setHidden(this.#meter, budget === null);
    if (budget !== null) setAttribute(this.#meter, "value", String(Math.min(1, used / budget)));
    setAttribute(this.#meter, "aria-label", "Airtime used");
    setText(this.#air, `${used.toFixed(1)} s${budget === null ? "" : ` of ${budget.toFixed(0)} s`} airtime this hour`);
    setHidden(this.#pending, gateway.pending === 0);
    setText(this.#pending, `${gateway.pending} ${gateway.pending === 1 ? "frame waits" : "frames wait"} for it`);
    setHidden(this.#unknown, gateway.known);
    setHidden(this.#button, !demo);
    setText(this.#button, gateway.online ? "Stop" : "Start");
    setAttribute(this.#button, "aria-label", `${gateway.online ? "Stop" : "Start"} ${gateway.name}`);
  }

  async #switch() {
    this.#button.disabled = true;
    setHidden(this.#trouble, true);
    try {
      await ask("POST", `/demo/gateways/${encodeURIComponent(this.id)}/${this.#online ? "stop" : "start"}`);
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      setText(this.#trouble, trouble.message);
      setHidden(this.#trouble, false);
    } finally {
      this.#button.disabled = false;
    }
  }
}

export class Gateways {
  #store;
  #list;
  #tally;
  #cards = new Map();
  #demo = false;

  constructor(store, { list, tally }) {
    this.#store = store;
    this.#list = list;
    this.#tally = tally;
  }

  /** Whether this is the demonstration, whose gateways can be switched. */
  set demo(demo) {
    this.#demo = demo;
    this.render();
  }

  update(batch) {
    if (batch.all || batch.gateways.size > 0) this.render();
  }

  /** There are tens of gateways, not thousands: all are looked at, what is the same stays. */
  render() {
    const gateways = [...this.#store.gateways.values()].sort(
      (a, b) => a.online - b.online || (a.name || a.gateway_id).localeCompare(b.name || b.gateway_id),
    );
    for (const id of this.#cards.keys()) if (!this.#store.gateways.has(id)) this.#cards.delete(id);
    const elements = gateways.map((gateway) => {
      const id = gateway.gateway_id;
      if (!this.#cards.has(id)) this.#cards.set(id, new GatewayCard(id));
      this.#cards.get(id).update(gateway, this.#demo);
      return this.#cards.get(id).element;
    });
    arrange(this.#list, elements);
    const online = gateways.filter((gateway) => gateway.online).length;
    setText(this.#tally, gateways.length === 0 ? "none known" : `${online} of ${gateways.length} online`);
  }
}
