// The card of one light: its lamp in the reported colour, its state in shape, letter and word, and
// one sentence where it is not as wanted. The wanted colour is a small lamp beside, never the lamp.

import { timeAgo } from "../base/clock.js";
import { el, icon, setAttribute, setHidden, setIcon, setText } from "../base/dom.js";
import { chanceWords, warnedMeaning, warnedWords } from "../base/expected.js";
import { lamp } from "../base/lamp.js";
import { t } from "../base/texts.js";
import { besides, glows, lightWords, past, shownWords, stateWords, why } from "../base/words.js";
import { nameOf } from "./filter.js";

/** @typedef {{store: import("../base/store.js").Store, open: (devEui: string) => void,
 *   pick: (devEui: string, on: boolean, range: boolean) => void, picked: (devEui: string) => boolean,
 *   opened: () => string}} FleetContext what a light on the page needs of the fleet around it */

/** A box to choose a light with. @param {string} devEui @param {FleetContext} context */
export function pickBox(devEui, context) {
  const box = el("input", { type: "checkbox", class: "pick" });
  box.addEventListener("click", (event) => context.pick(devEui, box.checked, event.shiftKey));
  return { box, area: el("label", { class: "pick-area", "data-needs": "POST /api/v1/rollouts" }, box) };
}

/** How the light can be reached, beside its state. @param {Element} element @param {HTMLElement} word
 *  @param {import("../base/wire.js").Device} device @param {import("../base/store.js").Store} store */
export function showReach(element, word, device, store) {
  setAttribute(element, "data-reach", device.reachability);
  const beside = besides(device, store);
  setHidden(word, beside === "");
  setText(word, beside);
}

/** The warnings of a light: a sign with words, or nothing. @param {HTMLElement} element @param {Element} words
 *  @param {import("../base/wire.js").Device} device */
export function showWarned(element, words, device) {
  const warned = warnedWords(device);
  setHidden(element, warned === "");
  if (warned === "") return;
  setText(words, warned);
  setAttribute(element, "title", warnedMeaning(device));
}

export class LightCard {
  #context;
  #lamp = lamp(null, { hidden: true });
  #wanted = lamp(null, { size: "small", hidden: true });
  #wantedBox = el("span", { class: "wanted-dot", hidden: true }, this.#wanted);
  #name = el("span", { class: "name" });
  #icon = icon("quiet");
  #word = el("span");
  #why = el("span", { class: "why", hidden: true });
  #showsWords = el("span");
  #ago = timeAgo(null);
  #shows = el("span", { class: "shows" }, this.#showsWords);
  #reach = el("span", { class: "reach", hidden: true });
  #warnedWords = el("span");
  #warned = el("span", { class: "warned", hidden: true }, icon("warning"), this.#warnedWords);
  #sign = el("span", { class: "warn-dot", hidden: true }, icon("warning"));
  #chance = el("span", { class: "chance" });
  #button;
  #box;
  /** @type {import("../base/wire.js").Device | null} */
  #drawn = null;

  /** @param {string} devEui @param {FleetContext} context */
  constructor(devEui, context) {
    this.devEui = devEui;
    this.#context = context;
    const { box, area } = pickBox(devEui, context);
    this.#box = box;
    this.#button = el(
      "button",
      { type: "button", onclick: () => context.open(devEui) },
      el("span", { class: "socket" }, el("span", { class: "ring" }), this.#lamp, this.#wantedBox, this.#sign),
      this.#name,
      this.#shows,
      el("span", { class: "standing" }, el("span", { class: "state" }, el("span", { class: "badge" }, this.#icon), this.#word), this.#reach, this.#warned),
      this.#chance,
      this.#why,
    );
    this.element = el("div", { class: "card", role: "listitem", "data-eui": devEui }, this.#button, area);
  }

  update() {
    const { store } = this.#context;
    const device = store.devices.get(this.devEui);
    if (device === undefined) return;
    const kind = store.kind(this.devEui);
    this.mark();
    setAttribute(this.element, "data-kind", kind);
    const name = nameOf(device);
    if (this.#drawn === null || nameOf(this.#drawn) !== name) {
      setText(this.#name, name);
      setAttribute(this.#button, "title", t("card.title", { name, dev_eui: device.dev_eui }));
      setAttribute(this.#box, "aria-label", t("fleet.select", { name }));
    }
    setIcon(this.#icon, kind);
    setText(this.#word, stateWords(device, store));
    showReach(this.element, this.#reach, device, store);
    showWarned(this.#warned, this.#warnedWords, device);
    setHidden(this.#sign, this.#warned.hidden);
    setText(this.#chance, t("card.chance", { chance: chanceWords(device.risk?.chance_30s) }));
    this.#lamp.light = device.reported;
    this.#lamp.past = !glows(device);
    const differs = device.wanted !== null && device.as_wanted !== true;
    setHidden(this.#wantedBox, !differs);
    if (differs) this.#wanted.light = device.wanted;
    const was = past(device);
    if (was) this.#ago.at = device.reported_at;
    if (was && this.#ago.parentNode === null) this.#shows.append(this.#ago);
    else if (!was) this.#ago.remove();
    const shown = differs ? t("card.wanted", { shown: shownWords(device), light: lightWords(device.wanted) }) : shownWords(device);
    setText(this.#showsWords, was ? t("card.heard", { shown }) : shown);
    const sentence = why(device, store, true);
    setHidden(this.#why, sentence === null);
    if (sentence !== null) setText(this.#why, sentence);
    this.#drawn = device;
  }

  /** Whether it is chosen, and whether its details are open. */
  mark() {
    const picked = this.#context.picked(this.devEui);
    if (this.#box.checked !== picked) this.#box.checked = picked;
    this.element.classList.toggle("picked", picked);
    setAttribute(this.#button, "aria-current", this.#context.opened() === this.devEui ? "true" : null);
  }

  focus() {
    this.#button.focus({ preventScroll: true });
  }
}
