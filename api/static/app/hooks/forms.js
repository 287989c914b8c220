// The dialogs that make a hook, and show its secret once.

import { ask } from "../base/api.js";
import { el, setText } from "../base/dom.js";
import { known, t } from "../base/texts.js";
import { Dialog, field } from "../scenes/forms.js";

const KINDS = ["verdicts", "states", "gateways", "alerts"];
/** Which lights, as the API names them; each takes several, one a line: names may hold commas. */
const LIMITS = ["applications", "tags", "dev_euis"];

/** @param {string} text */
function linesOf(text) {
  return [...new Set(text.split("\n").map((line) => line.trim()))].filter((line) => line !== "");
}

export class HookForm {
  #name = el("input", { type: "text", maxlength: "100", required: true, autocomplete: "off", placeholder: t("hooks.name-example") });
  #url = el("input", { type: "text", inputmode: "url", maxlength: "2000", required: true, autocomplete: "off", spellcheck: "false" });
  #limits = LIMITS.map((name) => el("textarea", { name, rows: "2", maxlength: "20000", autocomplete: "off", spellcheck: "false" }));
  #kinds = KINDS.map((kind) => el("input", { type: "checkbox", value: kind, checked: kind === "verdicts" }));
  #dialog;

  /** @param {(name: string, secret: string) => void} onMade */
  constructor(onMade) {
    this.#dialog = new Dialog(
      "hook-title",
      el("h2", { text: t("hooks.title-new") }),
      t("scenes.save"),
      async () => {
        const kinds = this.#kinds.filter((box) => box.checked).map((box) => box.value);
        const limits = Object.fromEntries(this.#limits.map((box) => [box.name, linesOf(box.value)]));
        const made = await ask("POST", "api/v1/hooks", { body: { name: this.#name.value.trim(), url: this.#url.value.trim(), kinds, ...limits } });
        onMade(made.hook.name, made.secret);
      },
      el("div", { class: "fields" }, field(t("scenes.name"), this.#name), field(t("hooks.url"), this.#url, t("hooks.url-hint"))),
      el("div", { class: "fields" }, ...this.#limits.map((box) => field(known(`hooks.limit.${box.name}`) ?? box.name, box, known(`hooks.limit-hint.${box.name}`) ?? ""))),
      el("fieldset", { class: "kinds" }, el("legend", { text: t("hooks.kinds") }), ...this.#kinds.map((box) => el("label", { class: "keep" }, box, known(`hooks.kind.${box.value}`) ?? box.value))),
    );
    this.element = this.#dialog.element;
  }

  ask() {
    this.#name.value = "";
    this.#url.value = "";
    for (const box of this.#limits) box.value = "";
    this.#dialog.open();
  }
}

export class SecretShown {
  #title = el("h2", { id: "secret-title" });
  #secret = el("input", { type: "text", readonly: true, "aria-label": t("hooks.secret"), spellcheck: "false" });
  element;

  constructor() {
    const close = el("button", { type: "button", class: "primary", text: t("hooks.kept"), onclick: () => this.element.close() });
    this.element = el("dialog", { class: "dialog many", "aria-labelledby": "secret-title" }, el("div", { class: "command" }, this.#title, el("p", { text: t("hooks.secret-once") }), this.#secret, el("div", { class: "row end" }, close)));
    this.element.addEventListener("close", () => { this.#secret.value = ""; });
  }

  /** @param {string} name @param {string} secret */
  show(name, secret) {
    setText(this.#title, t("hooks.secret-of", { name }));
    this.#secret.value = secret;
    this.element.showModal();
    this.#secret.select();
  }
}
