// The open alerts, newest first. The rule it keeps: what opens while one looks is said aloud once
// (aria-live); what was open before is only shown.

import { timeAgo } from "./clock.js";
import { arrange, el, icon, setHidden, setText } from "./dom.js";
import { alertWords, sentence } from "./words.js";

// More than fit on any screen; the others are in GET /api/v1/alerts.
const ALERTS_MOST = 50;

class AlertLine {
  #kind = el("span", { class: "kind" });
  #summary = el("span", { class: "summary" });
  #since = timeAgo(null);
  #again = el("span");

  constructor(alert, onOpen) {
    const isLight = alert.kind.startsWith("light_");
    const body = el("span", { class: "told" }, this.#summary, el("span", { class: "hint" }, this.#kind, ", ", this.#since, this.#again));
    const words = [el("span", { class: "badge" }, icon("failed")), body];
    this.element = el(
      "li",
      { class: "alert", "data-alert": alert.id, "data-kind": "failed" },
      isLight ? el("button", { type: "button", onclick: () => onOpen(alert.subject) }, ...words) : el("div", {}, ...words),
    );
  }

  update(alert) {
    setText(this.#kind, alertWords(alert.kind));
    setText(this.#summary, sentence(alert.summary));
    this.#since.at = alert.opened_at;
    setText(this.#again, alert.repeats > 0 ? `, told ${alert.repeats + 1} times` : "");
  }
}

export class Alerts {
  #store;
  #parts;
  #onOpen;
  #lines = new Map();

  constructor(store, { section, list, tally, announcer, onOpen }) {
    this.#store = store;
    this.#parts = { section, list, tally, announcer };
    this.#onOpen = onOpen;
  }

  update(batch) {
    if (!batch.alerts) return;
    const { section, list, tally, announcer } = this.#parts;
    const open = [...this.#store.alerts.values()].sort((a, b) => b.opened_at - a.opened_at);
    const shown = open.slice(0, ALERTS_MOST);
    const fresh = batch.all ? [] : shown.filter((alert) => !this.#lines.has(alert.id));
    for (const id of this.#lines.keys()) if (!this.#store.alerts.has(id)) this.#lines.delete(id);
    const elements = shown.map((alert) => {
      if (!this.#lines.has(alert.id)) this.#lines.set(alert.id, new AlertLine(alert, this.#onOpen));
      this.#lines.get(alert.id).update(alert);
      return this.#lines.get(alert.id).element;
    });
    arrange(list, elements);
    setHidden(section, open.length === 0);
    setText(tally, `${open.length} open`);
    if (fresh.length > 0) setText(announcer, fresh.map((alert) => `Alert: ${alert.summary}.`).join(" "));
  }
}
