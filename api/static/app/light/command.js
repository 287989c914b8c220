// Choose a colour and tell the light. Sending proves nothing; what comes back is "accepted", and the lamp
// changes when the light itself has said so.

import { ask, newKey, troubleWords } from "../base/api.js";
import { el, setText } from "../base/dom.js";
import { lamp } from "../base/lamp.js";
import { t } from "../base/texts.js";
import { colourWords, lightWords } from "../base/words.js";
import { Chooser } from "./chooser.js";

export class CommandForm {
  #devEui;
  #onAccepted;
  #chooser;
  #key = newKey();
  #preview = lamp(null, { hidden: true });
  #words = el("span", { class: "to-send" });
  #keep = el("input", { type: "checkbox", checked: true });
  #send = el("button", { type: "submit", class: "primary", text: t("order.send") });
  #outcome = el("p", { class: "outcome", role: "status" });

  /**
   * @param {string} devEui @param {import("../base/wire.js").Light | null | undefined} initial
   * @param {() => void} onAccepted
   */
  constructor(devEui, initial, onAccepted) {
    this.#devEui = devEui;
    this.#onAccepted = onAccepted;
    this.#chooser = new Chooser(initial, () => this.#picked());
    this.#keep.addEventListener("change", () => this.#picked());
    this.element = el(
      "form",
      { class: "command", "aria-label": t("order.set"), onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
      ...this.#chooser.elements,
      el("label", { class: "keep" }, this.#keep, t("order.keep")),
      el("div", { class: "row send" }, this.#preview, this.#words, this.#send),
      this.#outcome,
    );
    this.#picked();
  }

  /** Another order gets a key of its own. */
  #picked() {
    this.#key = newKey();
    this.#preview.light = this.#chooser.light;
    setText(this.#words, t("order.to-send", { light: lightWords(this.#chooser.light) }));
    setText(this.#outcome, "");
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    this.#send.disabled = true;
    this.#tell("", t("sending"));
    const { light } = this.#chooser;
    try {
      await ask("POST", `api/v1/downlink/${this.#devEui}`, {
        body: { ...light, keep: this.#keep.checked },
        headers: { Prefer: "respond-async", "Idempotency-Key": this.#key },
      });
      this.#key = newKey();
      this.#tell("good", t("order.accepted", { colour: colourWords(light) }));
      this.#onAccepted();
    } catch (trouble) {
      // The key stays: sent again, an order that did arrive is not made twice.
      this.#tell("bad", troubleWords(trouble));
    } finally {
      this.#send.disabled = false;
    }
  }

  /** @param {string} tone @param {string} words */
  #tell(tone, words) {
    this.#outcome.dataset.tone = tone;
    setText(this.#outcome, words);
  }
}
