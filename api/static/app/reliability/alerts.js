// The open alerts, newest first, and their acknowledgement. An alert that opens meanwhile is announced
// once (aria-live); an alert is acknowledged when the service says so.

import { ask, isMissing, troubleWords } from "../base/api.js";
import { timeAgo } from "../base/clock.js";
import { arrange, el, icon, setHidden, setText } from "../base/dom.js";
import { anchorOfAlert, helpLink } from "../base/help.js";
import { seesAll } from "../base/may.js";
import { parts, t } from "../base/texts.js";
import { alertWords, sentence, told } from "../base/words.js";

/** @typedef {import("../base/wire.js").Alert} Alert */
/** @typedef {import("../base/store.js").Store} Store */

// More than fit on any screen; the others are in GET /api/v1/alerts.
const ALERTS_MOST = 50;

class AlertLine {
  #store;
  #id;
  #kind = el("span");
  #summary = el("span", { class: "summary" });
  #since = timeAgo(null);
  #again = el("span");
  #button = el("button", { type: "button", class: "plain", text: t("alerts.acknowledge"), "data-needs": "POST /api/v1/alerts/{alert_id}/acknowledge" });
  #outcome = el("span", { class: "hint", role: "status" });

  /** @param {Alert} alert @param {Store} store @param {(devEui: string) => void} open */
  constructor(alert, store, open) {
    this.#id = alert.id;
    this.#store = store;
    this.#button.addEventListener("click", () => this.#acknowledge());
    const light = alert.kind.startsWith("light_");
    const words = light ? el("button", { type: "button", class: "link", onclick: () => open(alert.subject) }, this.#summary) : this.#summary;
    this.element = el(
      "li",
      { class: "alert", "data-alert": alert.id, "data-kind": "failed" },
      el("span", { class: "badge" }, icon("failed")),
      el("div", { class: "told" }, words, el("p", { class: "hint" }, ...parts("alerts.kind", { kind: this.#kind, when: this.#since, again: this.#again }), helpLink(anchorOfAlert(alert.kind), alertWords(alert.kind)))),
      el("div", { class: "does" }, this.#button, this.#outcome),
    );
  }

  /** @param {Alert} alert */
  update(alert) {
    setText(this.#kind, alertWords(alert.kind));
    setText(this.#summary, sentence(alert.summary));
    this.#since.at = alert.opened_at;
    setText(this.#again, alert.repeats > 0 ? t("alerts.told", { times: alert.repeats + 1 }) : "");
    const seen = alert.acknowledged_at != null;
    // A gateway is of all lights: who sees some only cannot say for everybody that it is known.
    setHidden(this.#button, seen || (!seesAll() && this.#store.gateways.has(alert.subject)));
    this.#button.setAttribute("aria-label", t("alerts.acknowledge-what", { summary: told(alert.summary) }));
    this.element.classList.toggle("acknowledged", seen);
    if (seen) setText(this.#outcome, t("alerts.acknowledged"));
  }

  async #acknowledge() {
    this.#button.disabled = true;
    try {
      const alert = await ask("POST", `api/v1/alerts/${encodeURIComponent(this.#id)}/acknowledge`);
      if (alert?.id === this.#id) this.#store.putAlert(alert);
      else setText(this.#outcome, t("alerts.acknowledged"));
      setHidden(this.#button, true);
    } catch (trouble) {
      setText(this.#outcome, isMissing(trouble) ? t("unavailable") : troubleWords(trouble));
    } finally {
      this.#button.disabled = false;
    }
  }
}

export class Alerts {
  #store;
  #announcer;
  #open;
  #list = el("ul", { class: "alerts" });
  #none = el("p", { class: "hint", text: t("alerts.none") });
  /** @type {Map<string, AlertLine>} */
  #lines = new Map();
  /** @type {Set<string> | null} */
  #known = null;
  element = el("div", {}, this.#list, this.#none);
  /** The newest ones, for the top of the fleet. */
  strip = el("a", { class: "alert-strip", href: "./?view=reliability", "data-kind": "failed", hidden: true });

  /** @param {Store} store @param {{announcer: HTMLElement, open: (devEui: string) => void}} to */
  constructor(store, { announcer, open }) {
    this.#store = store;
    this.#announcer = announcer;
    this.#open = open;
  }

  /** Open and not acknowledged. */
  get count() {
    return [...this.#store.alerts.values()].filter((alert) => alert.acknowledged_at == null).length;
  }

  /** @param {import("../base/store.js").Batch} batch */
  update(batch) {
    if (!batch.alerts) return;
    const open = [...this.#store.alerts.values()].sort((a, b) => Number(a.acknowledged_at != null) - Number(b.acknowledged_at != null) || b.opened_at - a.opened_at);
    const fresh = this.#known === null || batch.all ? [] : open.filter((alert) => !this.#known?.has(alert.id));
    this.#known = new Set(open.map((alert) => alert.id));
    for (const id of this.#lines.keys()) if (!this.#store.alerts.has(id)) this.#lines.delete(id);
    arrange(this.#list, open.slice(0, ALERTS_MOST).map((alert) => {
      let line = this.#lines.get(alert.id);
      if (line === undefined) {
        line = new AlertLine(alert, this.#store, this.#open);
        this.#lines.set(alert.id, line);
      }
      line.update(alert);
      return line.element;
    }));
    setHidden(this.#none, open.length > 0);
    this.#showStrip(open.filter((alert) => alert.acknowledged_at == null));
    if (fresh.length > 0) setText(this.#announcer, fresh.map((alert) => t("alerts.new", { summary: told(alert.summary) })).join(" "));
  }

  /** @param {Alert[]} open */
  #showStrip(open) {
    setHidden(this.strip, open.length === 0);
    if (open.length === 0) return;
    const summary = el("strong", { text: sentence(open[0].summary) });
    const told = open.length > 1 ? parts("alerts.more", { summary, n: open.length - 1 }) : [summary];
    this.strip.replaceChildren(el("span", { class: "badge" }, icon("failed")), el("span", {}, ...told));
  }
}
