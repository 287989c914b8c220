// Choose a colour and tell the light. The rule it keeps: sending proves nothing; what comes back is
// "accepted", and the lamp changes when the light itself has said so.

import { Trouble, ask, newKey } from "./api.js";
import { el, setText } from "./dom.js";
import { lamp } from "./lamp.js";
import { colourWords, lightWords } from "./words.js";

const PRESETS = [
  ["Red", 255, 0, 0], ["Orange", 255, 96, 0], ["Yellow", 255, 190, 0], ["Green", 0, 255, 0],
  ["Cyan", 0, 220, 255], ["Blue", 0, 0, 255], ["Violet", 150, 0, 255], ["White", 255, 255, 255],
  ["Dark", 0, 0, 0],
];
// Slow and fast are the pair that Plenom publishes (A0 A0 and 20 20), in hundredths of a second.
const RHYTHMS = [["Steady", 255, 0], ["Slow blink", 160, 160], ["Fast blink", 32, 32]];

function hex({ red, green, blue }) {
  return `#${[red, green, blue].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export class CommandForm {
  #devEui;
  #onAccepted;
  #light = { red: 0, green: 255, blue: 0, on: 255, off: 0 };
  #key = newKey();
  #preview = lamp(null, { hidden: true });
  #words = el("span", { class: "to-send" });
  #swatches = [];
  #picker = el("input", { type: "color", "aria-label": "Any other colour" });
  #rhythms = [];
  #keep = el("input", { type: "checkbox", checked: true });
  #send = el("button", { type: "submit", class: "primary", text: "Send" });
  #outcome = el("p", { class: "outcome", role: "status" });

  constructor(devEui, initial, onAccepted) {
    this.#devEui = devEui;
    this.#onAccepted = onAccepted;
    this.#picker.addEventListener("input", () => this.#pick(this.#picked()));
    this.#keep.addEventListener("change", () => this.#pick({}));
    this.element = el(
      "form",
      { class: "command", "aria-label": "Set the colour", onsubmit: (event) => this.#submit(event) },
      el("div", { class: "swatches", role: "group", "aria-label": "Colour" }, ...this.#makeSwatches(), el("label", { class: "other", title: "Any other colour" }, this.#picker)),
      el("div", { class: "rhythms", role: "radiogroup", "aria-label": "Rhythm" }, ...this.#makeRhythms()),
      el("label", { class: "keep" }, this.#keep, "Bring it back to this after it drifted"),
      el("div", { class: "row send" }, this.#preview, this.#words, this.#send),
      this.#outcome,
    );
    this.#pick(initial ?? this.#light);
  }

  #makeSwatches() {
    this.#swatches = PRESETS.map(([name, red, green, blue]) => {
      const colour = { red, green, blue };
      const button = el("button", { type: "button", title: name, "aria-label": name, "aria-pressed": "false", onclick: () => this.#pick(colour) });
      button.append(lamp({ ...colour, on: 255, off: 0 }, { size: "swatch", hidden: true }));
      return { button, colour };
    });
    return this.#swatches.map(({ button }) => button);
  }

  #makeRhythms() {
    return RHYTHMS.map(([name, on, off]) => {
      const input = el("input", { type: "radio", name: "rhythm", value: name, onchange: () => this.#pick({ on, off }) });
      this.#rhythms.push({ input, on, off });
      return el("label", {}, input, el("span", { text: name }));
    });
  }

  #picked() {
    const value = Number.parseInt(this.#picker.value.slice(1), 16);
    return { red: value >> 16, green: (value >> 8) & 255, blue: value & 255 };
  }

  /** Take over some of red, green, blue, on, off; another order gets a key of its own. */
  #pick(parts) {
    const { red, green, blue, on, off } = { ...this.#light, ...parts };
    this.#light = { red, green, blue, on, off };
    this.#key = newKey();
    this.#preview.light = this.#light;
    this.#picker.value = hex(this.#light);
    for (const { button, colour } of this.#swatches) {
      button.setAttribute("aria-pressed", String(hex(colour) === hex(this.#light)));
    }
    for (const { input, on: lit, off: dark } of this.#rhythms) input.checked = lit === on && dark === off;
    setText(this.#words, `To send: ${lightWords(this.#light)}`);
    setText(this.#outcome, "");
  }

  async #submit(event) {
    event.preventDefault();
    this.#send.disabled = true;
    this.#tell("", "Sending…");
    try {
      const command = await ask("POST", `/api/v1/downlink/${this.#devEui}`, {
        body: { ...this.#light, keep: this.#keep.checked },
        headers: { Prefer: "respond-async", "Idempotency-Key": this.#key },
      });
      this.#key = newKey();
      this.#tell("good", `Accepted and stored: ${colourWords(this.#light)}. The lamp changes when the light confirms it.`);
      this.#onAccepted(command);
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      // The key stays: sent again, an order that did arrive is not made twice.
      this.#tell("bad", trouble.message);
    } finally {
      this.#send.disabled = false;
    }
  }

  #tell(tone, words) {
    this.#outcome.dataset.tone = tone;
    setText(this.#outcome, words);
  }
}
