// Chooses a light: a colour of nine, or any other, and a rhythm. Used for one light and for many.

import { el } from "../base/dom.js";
import { lamp } from "../base/lamp.js";
import { t } from "../base/texts.js";

/** @typedef {import("../base/wire.js").Light} Light */

/** @type {[string, number, number, number][]} */
const PRESETS = [
  [t("choose.red"), 255, 0, 0], [t("choose.orange"), 255, 96, 0], [t("choose.yellow"), 255, 190, 0], [t("choose.green"), 0, 255, 0],
  [t("choose.cyan"), 0, 220, 255], [t("choose.blue"), 0, 0, 255], [t("choose.violet"), 150, 0, 255], [t("choose.white"), 255, 255, 255],
  [t("choose.dark"), 0, 0, 0],
];
// Slow and fast are the pair that Plenom publishes (A0 A0 and 20 20), in hundredths of a second.
/** @type {[string, number, number][]} */
const RHYTHMS = [[t("choose.steady"), 255, 0], [t("choose.slow"), 160, 160], [t("choose.fast"), 32, 32]];

/** @param {{red: number, green: number, blue: number}} colour */
function hex({ red, green, blue }) {
  return `#${[red, green, blue].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export class Chooser {
  /** @type {Light} */
  light = { red: 0, green: 255, blue: 0, on: 255, off: 0 };
  #onPick;
  #picker = el("input", { type: "color", "aria-label": t("choose.other") });
  /** @type {{button: HTMLElement, colour: {red: number, green: number, blue: number}}[]} */
  #swatches = [];
  /** @type {{input: HTMLInputElement, on: number, off: number}[]} */
  #rhythms = [];

  /** @param {Light | null | undefined} initial @param {() => void} onPick */
  constructor(initial, onPick) {
    this.#onPick = onPick;
    this.#picker.addEventListener("input", () => this.pick(this.#picked()));
    const other = el("label", { class: "other", title: t("choose.other") }, this.#picker);
    this.elements = [
      el("div", { class: "swatches", role: "group", "aria-label": t("choose.colour") }, ...this.#makeSwatches(), other),
      el("div", { class: "segments wide", role: "radiogroup", "aria-label": t("choose.rhythm") }, ...this.#makeRhythms()),
    ];
    this.#take(initial ?? this.light);
  }

  /** Take over some of red, green, blue, on, off. @param {Partial<Light>} parts */
  pick(parts) {
    this.#take({ ...this.light, ...parts });
    this.#onPick();
  }

  /** @param {Light} light */
  #take({ red, green, blue, on, off }) {
    this.light = { red, green, blue, on, off };
    this.#picker.value = hex(this.light);
    for (const { button, colour } of this.#swatches) {
      button.setAttribute("aria-pressed", String(hex(colour) === hex(this.light)));
    }
    for (const { input, on: lit, off: dark } of this.#rhythms) input.checked = lit === on && dark === off;
  }

  #picked() {
    const value = Number.parseInt(this.#picker.value.slice(1), 16);
    return { red: value >> 16, green: (value >> 8) & 255, blue: value & 255 };
  }

  #makeSwatches() {
    this.#swatches = PRESETS.map(([name, red, green, blue]) => {
      const colour = { red, green, blue };
      const button = el("button", { type: "button", title: name, "aria-label": name, "aria-pressed": "false", onclick: () => this.pick(colour) });
      button.append(lamp({ ...colour, on: 255, off: 0 }, { size: "swatch", hidden: true }));
      return { button, colour };
    });
    return this.#swatches.map(({ button }) => button);
  }

  #makeRhythms() {
    const group = `rhythm-${rhythmGroups++}`;
    return RHYTHMS.map(([name, on, off]) => {
      const input = el("input", { type: "radio", name: group, value: name, onchange: () => this.pick({ on, off }) });
      this.#rhythms.push({ input, on, off });
      return el("label", {}, input, el("span", { text: name }));
    });
  }
}

let rhythmGroups = 0;
