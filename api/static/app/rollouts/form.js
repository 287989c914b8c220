// Gives many lights one order: a colour, a pace, and how many failures stop it. It says how many lights
// and how long before anything is sent.

import { ask, isMissing, newKey, troubleWords } from "../base/api.js";
import { duration } from "../base/clock.js";
import { el, setText } from "../base/dom.js";
import { lamp } from "../base/lamp.js";
import { t } from "../base/texts.js";
import { lightWords } from "../base/words.js";
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
  #name = el("input", { type: "text", maxlength: "100", placeholder: t("rollout.name-example"), autocomplete: "off" });
  #pace = el("input", { type: "number", min: "1", max: "6000", value: "30", required: true, inputmode: "numeric" });
  #failures = el("input", { type: "number", min: "0", max: "50000", value: "5", required: true, inputmode: "numeric" });
  #keep = el("input", { type: "checkbox", checked: true });
  #preview = lamp(null, { hidden: true });
  #plan = el("p", { class: "to-send", role: "status" });
  #send = el("button", { type: "submit", class: "primary", text: t("rollout.start") });
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
      el("div", { class: "fields" }, field(t("rollout.pace"), this.#pace, t("rollout.pace-hint")), field(t("rollout.failures"), this.#failures, t("rollout.failures-hint")), field(t("rollout.name"), this.#name, t("rollout.name-hint"))),
      el("label", { class: "keep" }, this.#keep, t("rollout.keep")),
      el("div", { class: "row send" }, this.#preview, this.#plan),
      this.#outcome,
      el("div", { class: "row end" }, el("button", { type: "button", class: "secondary", text: t("rollout.not-now"), onclick: () => this.element.close() }), this.#send),
    );
    this.#pace.addEventListener("input", () => this.#tellPlan());
    this.element = el("dialog", { class: "dialog many", "aria-labelledby": "rollout-title" }, form);
  }

  /** Ask what these lights are to show. @param {string[]} lights @param {string[]} names */
  ask(lights, names) {
    this.#lights = lights;
    const named = names.slice(0, NAMED_MOST).join(", ");
    setText(this.#title, t("rollout.set", { n: lights.length }));
    setText(this.#names, names.length > NAMED_MOST ? t("rollout.names-more", { names: named, n: names.length - NAMED_MOST }) : named);
    setText(this.#outcome, "");
    this.#tellPlan();
    this.element.showModal();
  }

  #tellPlan() {
    this.#key = newKey();
    this.#preview.light = this.#chooser.light;
    const pace = this.#pace.valueAsNumber;
    const took = Number.isFinite(pace) && pace > 0 ? t("rollout.about", { span: duration((this.#lights.length / pace) * 60) }) : t("rollout.pace-needed");
    setText(this.#plan, t("rollout.plan", { n: this.#lights.length, light: lightWords(this.#chooser.light), took }));
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    this.#send.disabled = true;
    this.#tell("", t("sending"));
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
      this.#tell("bad", isMissing(trouble) ? t("rollout.older") : troubleWords(trouble));
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
