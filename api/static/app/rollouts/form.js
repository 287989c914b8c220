// Gives many lights one order: a colour, a pace, and how many failures stop it. It says how many lights
// and how long before anything is sent.

import { ask, isMissing, newKey, troubleWords } from "../base/api.js";
import { duration } from "../base/clock.js";
import { el, setText } from "../base/dom.js";
import { lamp } from "../base/lamp.js";
import { lightWords, plural } from "../base/words.js";
import { Chooser } from "../light/chooser.js";

const NAMED_MOST = 12;

export class RolloutForm {
  /** @type {string[]} */
  #lights = [];
  #key = newKey();
  #onMade;
  #chooser = new Chooser(null, () => this.#tellPlan());
  #title = el("h2", { id: "rollout-title" });
  #names = el("p", { class: "hint names" });
  #name = el("input", { type: "text", maxlength: "100", placeholder: "Evening, parking level 2", autocomplete: "off" });
  #pace = el("input", { type: "number", min: "1", max: "6000", value: "30", required: true, inputmode: "numeric" });
  #failures = el("input", { type: "number", min: "0", max: "50000", value: "5", required: true, inputmode: "numeric" });
  #keep = el("input", { type: "checkbox", checked: true });
  #preview = lamp(null, { hidden: true });
  #plan = el("p", { class: "to-send", role: "status" });
  #send = el("button", { type: "submit", class: "primary", text: "Start" });
  #outcome = el("p", { class: "outcome", role: "status" });
  element;

  /** @param {(rollout: import("../base/wire.js").Rollout) => void} onMade */
  constructor(onMade) {
    this.#onMade = onMade;
    const field = (/** @type {string} */ words, /** @type {HTMLElement} */ input, /** @type {string} */ hint) => el("label", { class: "field" }, el("span", { text: words }), input, el("span", { class: "hint", text: hint }));
    const form = el(
      "form",
      { class: "command", onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
      this.#title,
      this.#names,
      ...this.#chooser.elements,
      el("div", { class: "fields" }, field("Lights a minute", this.#pace, "at most"), field("Failures allowed", this.#failures, "one more stops it"), field("Name", this.#name, "if you like")),
      el("label", { class: "keep" }, this.#keep, "Bring them back to this after they drifted"),
      el("div", { class: "row send" }, this.#preview, this.#plan),
      this.#outcome,
      el("div", { class: "row end" }, el("button", { type: "button", class: "secondary", text: "Not now", onclick: () => this.element.close() }), this.#send),
    );
    this.#pace.addEventListener("input", () => this.#tellPlan());
    this.element = el("dialog", { class: "dialog many", "aria-labelledby": "rollout-title" }, form);
  }

  /** Ask what these lights are to show. @param {string[]} lights @param {string[]} names */
  ask(lights, names) {
    this.#lights = lights;
    const more = names.length > NAMED_MOST ? ` and ${names.length - NAMED_MOST} more` : "";
    setText(this.#title, `Set ${plural(lights.length, "light")}`);
    setText(this.#names, names.slice(0, NAMED_MOST).join(", ") + more);
    setText(this.#outcome, "");
    this.#tellPlan();
    this.element.showModal();
  }

  #tellPlan() {
    this.#key = newKey();
    this.#preview.light = this.#chooser.light;
    const pace = this.#pace.valueAsNumber;
    const took = Number.isFinite(pace) && pace > 0 ? `about ${duration((this.#lights.length / pace) * 60)}` : "a pace is needed";
    setText(this.#plan, `${plural(this.#lights.length, "light")} to ${lightWords(this.#chooser.light)}, ${took}`);
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    this.#send.disabled = true;
    this.#tell("", "Sending…");
    const name = this.#name.value.trim();
    try {
      const rollout = await ask("POST", "api/v1/rollouts", {
        body: {
          dev_euis: this.#lights, ...this.#chooser.light, keep: this.#keep.checked, ...(name ? { name } : {}),
          pace_per_min: this.#pace.valueAsNumber, failures_most: this.#failures.valueAsNumber,
        },
        headers: { "Idempotency-Key": this.#key },
      });
      this.element.close();
      this.#name.value = "";
      this.#onMade(rollout);
    } catch (trouble) {
      this.#tell("bad", isMissing(trouble) ? "Orders for many lights are not available from this service." : troubleWords(trouble));
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
