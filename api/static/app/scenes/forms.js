// The dialogs that save a scene and apply one.

import { ask, newKey, troubleWords } from "../base/api.js";
import { duration } from "../base/clock.js";
import { el, setText } from "../base/dom.js";
import { t } from "../base/texts.js";

/** @typedef {import("../base/wire.js").Scene} Scene */

/** A dialog with a form that says what became of it. */
export class Dialog {
  /** @type {HTMLDialogElement} */
  element;
  #send;
  #outcome = el("p", { class: "outcome", role: "status" });

  /** @param {string} id @param {HTMLElement} title @param {string} sendWords @param {() => Promise<void>} submit @param {...HTMLElement} content */
  constructor(id, title, sendWords, submit, ...content) {
    this.#send = el("button", { type: "submit", class: "primary", text: sendWords });
    title.id = id;
    const form = el("form", { class: "command" }, title, ...content, this.#outcome, el("div", { class: "row end" }, el("button", { type: "button", class: "secondary", text: t("scenes.not-now"), onclick: () => this.element.close() }), this.#send));
    form.addEventListener("submit", async (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#send.disabled = true;
      this.#tell("", t("scenes.sending"));
      try {
        await submit();
        this.element.close();
      } catch (trouble) {
        this.#tell("bad", troubleWords(trouble));
      } finally {
        this.#send.disabled = false;
      }
    });
    this.element = el("dialog", { class: "dialog many", "aria-labelledby": id }, form);
  }

  open() {
    this.#tell("", "");
    this.element.showModal();
  }

  /** @param {string} tone @param {string} words */
  #tell(tone, words) {
    this.#outcome.dataset.tone = tone;
    setText(this.#outcome, words);
  }
}

/** @param {string} words @param {HTMLElement} input @param {string} [hint] */
export function field(words, input, hint = "") {
  return el("label", { class: "field" }, el("span", { text: words }), input, el("span", { class: "hint", text: hint }));
}

export class SaveForm {
  /** @type {string[]} */
  #lights = [];
  #title = el("h2");
  #name = el("input", { type: "text", maxlength: "100", required: true, autocomplete: "off", placeholder: t("scenes.name-example") });
  #source = el("select", {}, el("option", { value: "wanted", text: t("scenes.of-wanted") }), el("option", { value: "shown", text: t("scenes.of-shown") }));
  #keep = el("input", { type: "checkbox", checked: true });
  #dialog;

  /** @param {() => void} onSaved */
  constructor(onSaved) {
    this.#dialog = new Dialog(
      "save-scene-title",
      this.#title,
      t("scenes.save"),
      async () => {
        const lights = this.#lights.length > 0 ? { dev_euis: this.#lights } : {};
        await ask("POST", "api/v1/scenes", { body: { name: this.#name.value.trim(), made_from: this.#source.value, keep: this.#keep.checked, ...lights } });
        onSaved();
      },
      el("div", { class: "fields" }, field(t("scenes.name"), this.#name), field(t("scenes.source"), this.#source, t("scenes.source-hint"))),
      el("label", { class: "keep" }, this.#keep, t("scenes.keep")),
    );
    this.element = this.#dialog.element;
  }

  /** @param {string[]} lights */
  ask(lights) {
    this.#lights = lights;
    this.#name.value = "";
    setText(this.#title, lights.length > 0 ? t("scenes.save-some", { n: lights.length }) : t("scenes.save-all"));
    this.#dialog.open();
  }
}

export class ApplyForm {
  /** @type {Scene | null} */
  #scene = null;
  #key = newKey();
  #title = el("h2");
  #pace = el("input", { type: "number", min: "1", max: "6000", value: "30", required: true, inputmode: "numeric" });
  #failures = el("input", { type: "number", min: "0", max: "50000", value: "5", required: true, inputmode: "numeric" });
  #plan = el("p", { class: "to-send", role: "status" });
  #dialog;

  /** @param {() => void} onApplied */
  constructor(onApplied) {
    this.#pace.addEventListener("input", () => this.#tellPlan());
    this.#dialog = new Dialog(
      "apply-scene-title",
      this.#title,
      t("scenes.apply"),
      async () => {
        const path = `api/v1/scenes/${encodeURIComponent(this.#scene?.id ?? "")}/apply`;
        const body = { pace_per_min: this.#pace.valueAsNumber, failures_most: this.#failures.valueAsNumber };
        await ask("POST", path, { body, headers: { "Idempotency-Key": this.#key } });
        onApplied();
      },
      el("div", { class: "fields" }, field(t("scenes.pace"), this.#pace, t("scenes.at-most")), field(t("scenes.failures"), this.#failures, t("scenes.failures-hint"))),
      this.#plan,
    );
    this.element = this.#dialog.element;
  }

  /** @param {Scene} scene */
  ask(scene) {
    this.#scene = scene;
    this.#key = newKey();
    setText(this.#title, t("scenes.apply-title", { name: scene.name }));
    this.#tellPlan();
    this.#dialog.open();
  }

  #tellPlan() {
    this.#key = newKey();
    const pace = this.#pace.valueAsNumber;
    const n = this.#scene?.lights ?? 0;
    const time = Number.isFinite(pace) && pace > 0 ? duration((n / pace) * 60) : "–";
    setText(this.#plan, t("scenes.plan", { n, time }));
  }
}
