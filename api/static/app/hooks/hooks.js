// The page of hooks: receivers that are posted what happens. It asks while it is looked at, and after
// whatever was done here.

import { ask, isMissing, troubleWords } from "../base/api.js";
import { arrange, el, setHidden, setText } from "../base/dom.js";
import { mayNot } from "../base/may.js";
import { t } from "../base/texts.js";
import { HookCard } from "./card.js";
import { HookForm, SecretShown } from "./forms.js";

/** @typedef {import("../base/wire.js").Hook} Hook */

const ASK_EVERY_MS = 10_000;

export class Hooks {
  #note = el("p", { class: "note", hidden: true });
  #none = el("p", { class: "hint", text: t("hooks.none"), hidden: true });
  #list = el("ul", { class: "rollouts hooks" });
  #secret = new SecretShown();
  #form = new HookForm((name, secret) => this.#made(name, secret));
  #open = false;
  /** @type {Map<string, HookCard>} */
  #cards = new Map();
  element;
  dialogs;

  constructor() {
    const add = el("button", { type: "button", class: "secondary", text: t("hooks.new"), "data-needs": "POST /api/v1/hooks", onclick: () => this.#form.ask() });
    this.element = el("div", { class: "view" }, this.#note, el("section", { "aria-label": t("hooks.title") }, el("h2", { text: t("hooks.title") }), el("p", { class: "hint", text: t("hooks.about") }), el("div", { class: "row" }, add), this.#none, this.#list));
    this.dialogs = [this.#form.element, this.#secret.element];
    setInterval(() => {
      if (this.#open && !document.hidden) this.#ask();
    }, ASK_EVERY_MS);
  }

  /** @param {boolean} open */
  look(open) {
    const came = open && !this.#open;
    this.#open = open;
    if (came) this.#ask();
  }

  /** @param {string} name @param {string} secret */
  #made(name, secret) {
    this.#secret.show(name, secret);
    this.#ask();
  }

  async #ask() {
    if (mayNot("GET /api/v1/hooks")) return;
    try {
      /** @type {{hooks: Hook[]}} */
      const { hooks } = await ask("GET", "api/v1/hooks");
      setHidden(this.#note, true);
      setHidden(this.#none, hooks.length > 0);
      const told = new Set(hooks.map((one) => one.id));
      for (const id of this.#cards.keys()) if (!told.has(id)) this.#cards.delete(id);
      arrange(this.#list, hooks.map((one) => this.#card(one)));
    } catch (trouble) {
      setHidden(this.#note, false);
      setText(this.#note, isMissing(trouble) ? t("hooks.older") : troubleWords(trouble));
    }
  }

  /** @param {Hook} hook */
  #card(hook) {
    const card = this.#cards.get(hook.id) ?? new HookCard(hook.id, (name, secret) => this.#secret.show(name, secret), () => this.#ask());
    this.#cards.set(hook.id, card);
    card.update(hook);
    return card.element;
  }
}
