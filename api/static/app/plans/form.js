// Makes a plan, renames it, gives it a picture, removes it.

import { ask, sendFile, troubleWords } from "../base/api.js";
import { el, setHidden, setText } from "../base/dom.js";
import { allOf, number } from "../base/locale.js";
import { t } from "../base/texts.js";

/** @typedef {import("../base/wire.js").PlanHead} PlanHead */

export class PlanForm {
  #onSaved;
  /** @type {PlanHead | null} */
  #plan = null;
  #title = el("h2", { id: "plan-form-title" });
  #name = el("input", { type: "text", maxlength: "100", required: true, autocomplete: "off" });
  #order = el("input", { type: "number", min: "0", max: "1000000", inputmode: "numeric" });
  #file = el("input", { type: "file", accept: ".png,.jpg,.jpeg,.svg,image/png,image/jpeg,image/svg+xml" });
  #save = el("button", { type: "submit", class: "primary", text: t("plans.save") });
  #remove = el("button", { type: "button", class: "secondary bad", text: t("plans.remove") });
  #outcome = el("p", { class: "outcome", role: "status" });
  element;

  /** @param {(planId: string) => void} onSaved told the id, or "" where the plan was removed */
  constructor(onSaved) {
    this.#onSaved = onSaved;
    const field = (/** @type {string} */ words, /** @type {HTMLElement} */ input, hint = "") => el("label", { class: "field" }, el("span", { text: words }), input, hint ? el("span", { class: "hint", text: hint }) : null);
    const form = el(
      "form",
      { class: "command" },
      this.#title,
      field(t("plans.name"), this.#name),
      field(t("plans.order"), this.#order),
      field(t("plans.picture"), this.#file, t("plans.picture-hint")),
      this.#outcome,
      el("div", { class: "row end" }, this.#remove, el("button", { type: "button", class: "secondary", text: t("plans.cancel"), onclick: () => this.element.close() }), this.#save),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#act(() => this.#submit());
    });
    this.#remove.addEventListener("click", () => {
      if (this.#plan !== null && confirm(t("plans.remove-sure"))) this.#act(() => this.#removed());
    });
    this.element = el("dialog", { class: "dialog many", "aria-labelledby": "plan-form-title" }, form);
  }

  /** A new plan, or this one. @param {PlanHead | null} plan */
  ask(plan) {
    this.#plan = plan;
    setText(this.#title, plan === null ? t("plans.form-new") : t("plans.form-title", { name: plan.name }));
    this.#name.value = plan?.name ?? "";
    this.#order.value = plan === null ? "" : String(plan.order);
    this.#file.value = "";
    setHidden(this.#remove, plan === null);
    this.#tell("", "");
    this.element.showModal();
  }

  /** @param {() => Promise<void>} deed */
  async #act(deed) {
    this.#save.disabled = this.#remove.disabled = true;
    try {
      await deed();
    } catch (trouble) {
      this.#tell("bad", troubleWords(trouble));
    } finally {
      this.#save.disabled = this.#remove.disabled = false;
    }
  }

  async #submit() {
    const name = this.#name.value.trim();
    const order = Number.isFinite(this.#order.valueAsNumber) ? { order: this.#order.valueAsNumber } : {};
    this.#tell("", t("plans.saving"));
    if (this.#plan === null) this.#plan = /** @type {PlanHead} */ (await ask("POST", "api/v1/plans", { body: { name, ...order } }));
    else if (name !== this.#plan.name || ("order" in order && order.order !== this.#plan.order)) {
      this.#plan = /** @type {PlanHead} */ (await ask("PATCH", this.#path, { body: { name, ...order }, headers: this.#seen }));
    }
    const { id } = this.#plan;
    const file = this.#file.files?.[0];
    if (file !== undefined) {
      const share = (/** @type {number} */ part) => this.#tell("", t("plans.sending", { share: `${number(Math.round(part * 100))} %` }));
      const taken = await sendFile("PUT", `${this.#path}/picture`, file, share);
      this.#plan = taken.plan;
      if (taken.left_out.length > 0) {
        this.#file.value = "";
        this.#tell("", t("plans.left-out", { what: allOf(taken.left_out) }));
        this.#onSaved(id);
        return; // it is read before the dialog goes
      }
    }
    this.element.close();
    this.#onSaved(id);
  }

  async #removed() {
    await ask("DELETE", this.#path, { headers: this.#seen });
    this.element.close();
    this.#onSaved("");
  }

  get #path() {
    return `api/v1/plans/${encodeURIComponent(this.#plan?.id ?? "")}`;
  }

  get #seen() {
    return { "If-Match": `"${this.#plan?.revision ?? 0}"` };
  }

  /** @param {string} tone @param {string} words */
  #tell(tone, words) {
    this.#outcome.dataset.tone = tone;
    setText(this.#outcome, words);
  }
}
