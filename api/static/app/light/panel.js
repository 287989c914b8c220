// The details of one light beside the fleet: what it shows and should show, its orders step by step, a
// form to give another, and what else is known. It asks the service again when that light changed, never
// by the clock, and one question at a time.

import { ask, isMissing, troubleWords } from "../base/api.js";
import { now, timeAgo } from "../base/clock.js";
import { el, icon, setAttribute, setHidden, setIcon, setText } from "../base/dom.js";
import { aim, anchorOfLight, helpLink } from "../base/help.js";
import { lamp } from "../base/lamp.js";
import { reasonOf } from "../base/reasons.js";
import { known, parts, t } from "../base/texts.js";
import { capital, glows, lightWords, past, stateWords, why } from "../base/words.js";
import { showReach } from "../fleet/card.js";
import { CommandForm } from "./command.js";
import { details, hearingsTable } from "./details.js";
import { expected } from "./expected.js";
import { EventLog } from "./log.js";
import { signalPlots } from "./signal.js";
import { Timeline } from "./timeline.js";

/** @typedef {import("../base/wire.js").Inspection} Inspection */

// Changes of one light come in bursts (device, command, device): they are answered with one question.
const GATHER_MS = 250;
const COMMANDS_MOST = 20;
const SIGNAL_HOURS = 24;

export class LightPanel {
  devEui;
  #store;
  #onClose;
  #shown = lamp(null, { size: "large" });
  #wanted = lamp(null, { size: "medium", hidden: true });
  #tense = el("strong");
  #shows = el("span");
  #reported = timeAgo(null);
  #reportedWords = el("span", { class: "hint" }, ...parts("light.reported", { when: this.#reported }));
  #heard = timeAgo(null);
  #reach = el("span", { class: "reach", hidden: true });
  #wants = el("span");
  #title = el("h2", { id: "panel-title", tabindex: "-1" });
  #icon = icon("quiet");
  #word = el("span");
  #why = el("p", { class: "why" });
  #help = helpLink("what-the-states-say", "");
  #verdict = el("div", { class: "verdict" }, el("p", { class: "standing" }, el("span", { class: "state" }, el("span", { class: "badge" }, this.#icon), this.#word), this.#reach, this.#help), this.#why);
  #form;
  #timeline;
  #log;
  #signal = el("div", {}, el("p", { class: "hint", text: t("asking") }));
  #expected = el("div", {}, el("p", { class: "hint", text: t("asking") }));
  #told = "";
  #hearings = el("div");
  #details = el("dl");
  #raw = el("pre", { class: "raw", tabindex: "0", "aria-label": t("light.json-label"), hidden: true });
  #revive = el("button", { type: "button", class: "secondary", text: t("light.revive"), "data-needs": "POST /api/v1/supervisor/{actor_id}/revive", title: t("light.revive-means"), hidden: true });
  #withdraw = el("button", { type: "button", class: "secondary", text: t("light.withdraw"), "data-needs": "DELETE /api/v1/commands/{command_id}", title: t("light.withdraw-means"), hidden: true });
  #nothing = el("button", { type: "button", class: "secondary", text: t("light.ask-nothing"), "data-needs": "DELETE /api/v1/devices/{dev_eui}/wanted", title: t("light.ask-nothing-means"), hidden: true });
  #open = "";
  #outcome = el("p", { class: "outcome", role: "status" });
  #asking = false;
  #askAgain = false;
  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;
  #closed = false;
  #setUp = false;
  #f_cnt = -2; // of the uplink whose signal is shown

  /** @param {string} devEui @param {import("../base/store.js").Store} store @param {() => void} onClose */
  constructor(devEui, store, onClose) {
    this.devEui = devEui;
    this.#store = store;
    this.#onClose = onClose;
    this.#timeline = new Timeline(store);
    this.#log = new EventLog(devEui, store);
    const device = store.devices.get(devEui);
    this.#form = new CommandForm(devEui, device?.wanted ?? device?.reported, () => this.#askSoon());
    this.#revive.addEventListener("click", () => this.#act(`api/v1/supervisor/${encodeURIComponent(`device ${devEui}`)}/revive`, undefined, t("light.revived")));
    this.#withdraw.addEventListener("click", () => this.#act(`api/v1/commands/${encodeURIComponent(this.#open)}`, undefined, (answer) => t("sentence", { text: capital(reasonOf(answer)) }), "DELETE"));
    this.#nothing.addEventListener("click", () => this.#act(`api/v1/devices/${this.devEui}/wanted`, undefined, (answer) => [t("light.asked-nothing"), ...(answer.command === null ? [] : [t("sentence", { text: capital(reasonOf(answer.command)) })])].join(" "), "DELETE"));
  }

  /** What stands in the panel. */
  elements() {
    const now = el("div", { class: "fact" }, this.#shown, el("p", {}, this.#tense, this.#shows, this.#reportedWords, el("span", { class: "hint" }, ...parts("light.heard", { when: this.#heard }))));
    const wanted = el("div", { class: "fact" }, this.#wanted, el("p", {}, el("strong", { text: t("light.should-show") }), this.#wants));
    return [
      el("header", {}, el("div", {}, this.#title, el("p", { class: "eui", text: this.devEui })), el("div", { class: "row" }, this.#rawButton(), this.#closeButton())),
      this.#raw,
      el("div", { class: "facts" }, now, wanted),
      this.#verdict,
      el("div", { class: "orders-given", "data-needs": "POST /api/v1/downlink/{dev_eui}" }, el("h3", { text: t("order.set") }), this.#form.element),
      el("h3", { text: t("light.orders") }),
      this.#timeline.element,
      el("h3", { text: t("light.expected") }),
      this.#expected,
      el("h3", { text: t("light.uplinks", { hours: SIGNAL_HOURS }) }),
      this.#signal,
      el("h3", { text: t("light.heard-by") }),
      this.#hearings,
      el("h3", { text: t("light.details") }),
      this.#details,
      this.#log.element,
      this.#actions(),
      this.#outcome,
    ];
  }

  #actions() {
    const setup = el("button", { type: "button", class: "secondary", text: t("light.initialise"), "data-needs": "POST /api/v1/devices/{dev_eui}/initialize", title: t("light.initialise-means") });
    setup.addEventListener("click", () => this.#act(`api/v1/devices/${this.devEui}/initialize`, { force: this.#setUp }, t("light.initialised")));
    const status = el("button", { type: "button", class: "secondary", text: t("light.ask-status"), "data-needs": "POST /api/v1/devices/{dev_eui}/status", title: t("light.ask-status-means") });
    status.addEventListener("click", () => this.#act(`api/v1/devices/${this.devEui}/status`, undefined, (answer) => known(`light.status.${answer?.outcome}`) ?? t("light.asked")));
    return el("div", { class: "row actions" }, this.#withdraw, this.#nothing, setup, status, this.#revive);
  }

  #rawButton() {
    const button = el("button", { type: "button", class: "plain", "aria-expanded": "false", text: t("light.json"), title: t("light.json-means") });
    button.addEventListener("click", () => {
      this.#raw.hidden = !this.#raw.hidden;
      setAttribute(button, "aria-expanded", String(!this.#raw.hidden));
    });
    return button;
  }

  #closeButton() {
    return el("button", { type: "button", class: "plain round", "aria-label": t("light.close"), onclick: () => this.#onClose() }, icon("close"));
  }

  focus() {
    this.#title.focus();
  }

  close() {
    this.#closed = true;
    this.#log.close();
    clearTimeout(this.#timer ?? undefined);
  }

  /** @param {import("../base/store.js").Batch} batch */
  update(batch) {
    const device = this.#store.devices.get(this.devEui);
    if (device === undefined) return;
    const concerned = batch.all || batch.devices.has(this.devEui) || batch.commands.has(this.devEui);
    if (!concerned && !device.gateways.some((id) => batch.gateways.has(id))) return;
    this.#show(device);
    this.#askSoon();
  }

  #askSoon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#log.changed();
      this.#ask();
    }, GATHER_MS);
  }

  /** @param {import("../base/wire.js").Device} device */
  #show(device) {
    setText(this.#title, device.name || device.dev_eui);
    this.#shown.light = device.reported;
    this.#shown.past = !glows(device);
    this.#wanted.light = device.wanted;
    setText(this.#tense, past(device) ? t("light.showed") : t("light.shows"));
    setText(this.#shows, lightWords(device.reported));
    this.#reported.at = device.reported_at;
    setHidden(this.#reportedWords, !past(device) || device.reported_at === device.heard_at);
    this.#heard.at = device.heard_at;
    setText(this.#wants, device.wanted === null ? t("light.nothing") : lightWords(device.wanted));
    const kind = this.#store.kind(this.devEui);
    showReach(this.#verdict, this.#reach, device, this.#store);
    setAttribute(this.#verdict, "data-kind", kind);
    setIcon(this.#icon, kind);
    setText(this.#word, stateWords(device, this.#store));
    const words = why(device, this.#store);
    setHidden(this.#why, words === null);
    setText(this.#why, words ?? "");
    aim(this.#help, anchorOfLight(device, this.#store), this.#word.textContent ?? "");
  }

  async #ask() {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    try {
      const seen = await ask("GET", `api/v1/devices/${this.devEui}`);
      await Promise.all([this.#askCommands(seen), this.#askSignal(seen)]);
      if (!this.#closed) this.#showSeen(seen);
    } catch (trouble) {
      this.#tell("bad", troubleWords(trouble));
    } finally {
      this.#asking = false;
      if (this.#askAgain && !this.#closed) {
        this.#askAgain = false;
        this.#ask();
      }
    }
  }

  /** @param {Inspection} seen */
  async #askCommands(seen) {
    try {
      const { commands } = await ask("GET", `api/v1/devices/${this.devEui}/commands?limit=${COMMANDS_MOST}`);
      if (!this.#closed) this.#timeline.show(commands, true);
    } catch (trouble) {
      if (!isMissing(trouble)) throw trouble;
      // An older service tells the newest one only.
      const last = this.#store.commands.get(this.devEui)?.id ?? seen.wanted_by;
      const command = seen.command ?? (last === null ? null : await ask("GET", `api/v1/commands/${encodeURIComponent(last)}`).catch(() => null));
      if (!this.#closed) this.#timeline.show(command === null ? [] : [command], false);
    }
  }

  /** @param {Inspection} seen */
  async #askSignal(seen) {
    const counter = seen.session?.f_cnt ?? -1;
    if (counter === this.#f_cnt) return;
    try {
      const { points } = await ask("GET", `api/v1/devices/${this.devEui}/signal?hours=${SIGNAL_HOURS}`);
      const to = now();
      // A light that is new has no empty day before it.
      const first = points.reduce((/** @type {number} */ least, /** @type {{at: number}} */ point) => Math.min(least, point.at), to - 3_600);
      this.#signal.replaceChildren(signalPlots(points, (id) => this.#store.gatewayName(id), Math.max(first, to - SIGNAL_HOURS * 3_600), to));
      this.#f_cnt = counter;
    } catch (trouble) {
      const words = isMissing(trouble) ? t("unavailable") : troubleWords(trouble);
      this.#signal.replaceChildren(el("p", { class: "hint", text: words }));
    }
  }

  /** @param {Inspection} seen */
  #showSeen(seen) {
    this.#setUp = seen.session?.set_up ?? false;
    setHidden(this.#revive, seen.actor?.state !== "crashed");
    this.#open = seen.command?.id ?? "";
    setHidden(this.#withdraw, this.#open === "");
    setHidden(this.#nothing, seen.device.wanted === null);
    this.#hearings.replaceChildren(hearingsTable(seen.hearings, this.#store));
    this.#details.replaceChildren(...details(seen));
    this.#showExpected(seen.quality);
    setText(this.#raw, JSON.stringify(seen, null, 2));
  }

  /** @param {import("../base/wire.js").LightQuality | null | undefined} quality */
  #showExpected(quality) {
    const told = JSON.stringify(quality) ?? "older";
    if (told === this.#told) return;
    this.#told = told;
    const unfolded = this.#expected.querySelector("details")?.open ?? false;
    this.#expected.replaceChildren(expected(quality));
    const table = this.#expected.querySelector("details");
    if (table !== null) table.open = unfolded;
  }

  /** @param {string} path @param {unknown} body @param {string | ((answer: any) => string)} done @param {"POST" | "DELETE"} method */
  async #act(path, body, done, method = "POST") {
    this.#tell("", t("asking"));
    try {
      const answer = await ask(method, path, { body });
      this.#askSoon();
      this.#tell("good", typeof done === "string" ? done : done(answer));
    } catch (trouble) {
      this.#tell("bad", isMissing(trouble) ? t("unavailable") : troubleWords(trouble));
    }
  }

  /** @param {string} tone @param {string} words */
  #tell(tone, words) {
    this.#outcome.dataset.tone = tone;
    setText(this.#outcome, words);
  }
}
