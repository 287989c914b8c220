// The card of one light: its lamp in the reported colour, its state in shape, letter and word, and
// one sentence where it is not as wanted. The wanted colour is a small lamp beside, never the lamp.

import { el, icon, setAttribute, setHidden, setIcon, setText } from "./dom.js";
import { lamp } from "./lamp.js";
import { lightWords, stateWords, why } from "./words.js";

export class LightCard {
  #lamp = lamp(null, { hidden: true });
  #wanted = lamp(null, { size: "small", hidden: true });
  #wantedBox = el("span", { class: "wanted-dot", hidden: true }, this.#wanted);
  #ring = el("span", { class: "ring" });
  #name = el("span", { class: "name" });
  #icon = icon("quiet");
  #word = el("span");
  #why = el("span", { class: "why", hidden: true });
  #shows = el("span", { class: "shows" });
  #button;

  constructor(devEui, onOpen) {
    this.devEui = devEui;
    this.#button = el(
      "button",
      { type: "button", onclick: () => onOpen(devEui) },
      el("span", { class: "socket" }, this.#ring, this.#lamp, this.#wantedBox),
      this.#name,
      this.#shows,
      el("span", { class: "state" }, el("span", { class: "badge" }, this.#icon), this.#word),
      this.#why,
    );
    this.element = el("li", { class: "card", "data-eui": devEui }, this.#button);
  }

  update(device, store) {
    const kind = store.kind(this.devEui);
    setAttribute(this.element, "data-kind", kind);
    setText(this.#name, device.name || device.dev_eui);
    setAttribute(this.#name, "title", device.dev_eui);
    setIcon(this.#icon, kind);
    setText(this.#word, stateWords(device, store));
    this.#lamp.light = device.reported;
    const differs = device.wanted !== null && device.as_wanted !== true;
    setHidden(this.#wantedBox, !differs);
    if (differs) this.#wanted.light = device.wanted;
    const shows = lightWords(device.reported);
    setText(this.#shows, differs ? `${shows}, wanted ${lightWords(device.wanted)}` : shows);
    const sentence = why(device, store);
    setHidden(this.#why, sentence === null);
    if (sentence !== null) setText(this.#why, sentence);
  }

  mark(open) {
    setAttribute(this.#button, "aria-current", open ? "true" : null);
  }

  focus() {
    this.#button.focus();
  }
}
