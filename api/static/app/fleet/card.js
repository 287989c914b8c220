// The card of one light: its lamp in the reported colour, its state in shape, letter and word, and
// one sentence where it is not as wanted. The wanted colour is a small lamp beside, never the lamp.

import { el, icon, setAttribute, setHidden, setIcon, setText } from "../base/dom.js";
import { lamp } from "../base/lamp.js";
import { lightWords, stateWords, why } from "../base/words.js";
import { nameOf } from "./filter.js";

/** @typedef {{store: import("../base/store.js").Store, open: (devEui: string) => void,
 *   pick: (devEui: string, on: boolean, range: boolean) => void, picked: (devEui: string) => boolean,
 *   opened: () => string}} Floor what a light on the page needs of the fleet around it */

/** A box to choose a light with. @param {string} devEui @param {Floor} floor */
export function pickBox(devEui, floor) {
  const box = el("input", { type: "checkbox", class: "pick" });
  box.addEventListener("click", (event) => floor.pick(devEui, box.checked, event.shiftKey));
  return box;
}

export class LightCard {
  #floor;
  #lamp = lamp(null, { hidden: true });
  #wanted = lamp(null, { size: "small", hidden: true });
  #wantedBox = el("span", { class: "wanted-dot", hidden: true }, this.#wanted);
  #name = el("span", { class: "name" });
  #icon = icon("quiet");
  #word = el("span");
  #why = el("span", { class: "why", hidden: true });
  #shows = el("span", { class: "shows" });
  #button;
  #box;
  /** @type {import("../base/wire.js").Device | null} */
  #drawn = null;

  /** @param {string} devEui @param {Floor} floor */
  constructor(devEui, floor) {
    this.devEui = devEui;
    this.#floor = floor;
    this.#box = pickBox(devEui, floor);
    this.#button = el(
      "button",
      { type: "button", onclick: () => floor.open(devEui) },
      el("span", { class: "socket" }, el("span", { class: "ring" }), this.#lamp, this.#wantedBox),
      this.#name,
      this.#shows,
      el("span", { class: "state" }, el("span", { class: "badge" }, this.#icon), this.#word),
      this.#why,
    );
    this.element = el("div", { class: "card", role: "listitem", "data-eui": devEui }, this.#button, this.#box);
  }

  update() {
    const { store } = this.#floor;
    const device = store.devices.get(this.devEui);
    if (device === undefined) return;
    const kind = store.kind(this.devEui);
    this.mark();
    setAttribute(this.element, "data-kind", kind);
    const name = nameOf(device);
    if (this.#drawn === null || nameOf(this.#drawn) !== name) {
      setText(this.#name, name);
      setAttribute(this.#button, "title", `${name}, ${device.dev_eui}`);
      setAttribute(this.#box, "aria-label", `Select ${name}`);
    }
    setIcon(this.#icon, kind);
    setText(this.#word, stateWords(device, store));
    this.#lamp.light = device.reported;
    const differs = device.wanted !== null && device.as_wanted !== true;
    setHidden(this.#wantedBox, !differs);
    if (differs) this.#wanted.light = device.wanted;
    const shows = lightWords(device.reported);
    setText(this.#shows, differs ? `${shows}, wanted ${lightWords(device.wanted)}` : shows);
    const sentence = why(device, store, true);
    setHidden(this.#why, sentence === null);
    if (sentence !== null) setText(this.#why, sentence);
    this.#drawn = device;
  }

  /** Whether it is chosen, and whether its details are open. */
  mark() {
    const picked = this.#floor.picked(this.devEui);
    if (this.#box.checked !== picked) this.#box.checked = picked;
    this.element.classList.toggle("picked", picked);
    setAttribute(this.#button, "aria-current", this.#floor.opened() === this.devEui ? "true" : null);
  }

  focus() {
    this.#button.focus({ preventScroll: true });
  }
}
