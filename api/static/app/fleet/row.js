// One light as a row of the table. The same words as its card, in columns that can be sorted.

import { timeAgo } from "../base/clock.js";
import { el, icon, setAttribute, setHidden, setIcon, setText } from "../base/dom.js";
import { chanceWords } from "../base/expected.js";
import { lamp } from "../base/lamp.js";
import { t } from "../base/texts.js";
import { glows, lightWords, shownWords, stateWords, why } from "../base/words.js";
import { pickBox, showReach, showWarned } from "./card.js";
import { applicationOf, nameOf } from "./filter.js";

/** @typedef {import("./card.js").FleetContext} FleetContext */

export class LightRow {
  #context;
  #box;
  #name = el("button", { type: "button", class: "link" });
  #lamp = lamp(null, { size: "small", hidden: true });
  #shows = el("span");
  #wanted = lamp(null, { size: "small", hidden: true });
  #wants = el("span");
  #icon = icon("quiet");
  #word = el("span");
  #reach = el("span", { class: "reach", hidden: true });
  #warnedWords = el("span");
  #warned = el("span", { class: "warned", hidden: true }, icon("warning"), this.#warnedWords);
  #why = el("span", { class: "why" });
  #risk = el("span");
  #heard = timeAgo(null);
  #gateways = el("span");
  #app = el("span");

  /** @param {string} devEui @param {FleetContext} context */
  constructor(devEui, context) {
    this.devEui = devEui;
    this.#context = context;
    const { box, area } = pickBox(devEui, context);
    this.#box = box;
    this.#name.addEventListener("click", () => context.open(devEui));
    const cell = (/** @type {string} */ name, /** @type {Node[]} */ ...inner) => el("div", { class: `cell ${name}`, role: "cell" }, ...inner);
    this.element = el(
      "div",
      { class: "light-row", role: "row", "data-eui": devEui },
      cell("box", area),
      el("div", { class: "cell", role: "rowheader" }, this.#name),
      cell("shows", this.#lamp, this.#shows),
      cell("wants", this.#wanted, this.#wants),
      cell("is", el("span", { class: "state" }, el("span", { class: "badge" }, this.#icon), this.#word), this.#reach, this.#warned, this.#why),
      cell("risk", this.#risk),
      cell("heard", this.#heard),
      cell("by", this.#gateways),
      cell("app", this.#app),
    );
  }

  update() {
    const { store } = this.#context;
    const device = store.devices.get(this.devEui);
    if (device === undefined) return;
    this.mark();
    const kind = store.kind(this.devEui);
    setAttribute(this.element, "data-kind", kind);
    setText(this.#name, nameOf(device));
    setAttribute(this.#name, "title", device.dev_eui);
    setAttribute(this.#box, "aria-label", t("fleet.select", { name: nameOf(device) }));
    this.#lamp.light = device.reported;
    this.#lamp.past = !glows(device);
    setText(this.#shows, shownWords(device));
    showReach(this.element, this.#reach, device, store);
    showWarned(this.#warned, this.#warnedWords, device);
    setText(this.#risk, chanceWords(device.risk?.chance_30s));
    setHidden(this.#wanted, device.wanted === null);
    if (device.wanted !== null) this.#wanted.light = device.wanted;
    setText(this.#wants, device.wanted === null ? t("row.nothing-asked") : lightWords(device.wanted));
    setIcon(this.#icon, kind);
    setText(this.#word, stateWords(device, store));
    const sentence = why(device, store, true) ?? "";
    setText(this.#why, sentence);
    setAttribute(this.#why, "title", sentence);
    this.#heard.at = device.heard_at;
    setText(this.#gateways, device.gateways.map((id) => store.gatewayName(id)).join(", "));
    setText(this.#app, applicationOf(device));
  }

  mark() {
    const picked = this.#context.picked(this.devEui);
    if (this.#box.checked !== picked) this.#box.checked = picked;
    this.element.classList.toggle("picked", picked);
    setAttribute(this.element, "aria-current", this.#context.opened() === this.devEui ? "true" : null);
  }

  focus() {
    this.#name.focus({ preventScroll: true });
  }
}
