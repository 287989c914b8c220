// One scene: its colours, how many lights it would command now, and what can be done with it.

import { ask, troubleWords } from "../base/api.js";
import { el, setHidden, setText } from "../base/dom.js";
import { lamp } from "../base/lamp.js";
import { t } from "../base/texts.js";

/** @typedef {import("../base/wire.js").Scene} Scene */

export class SceneCard {
  /** @type {Scene | null} */
  #scene = null;
  #title = el("h3");
  #words = el("p", { class: "hint" });
  #lamps = el("span", { class: "lamps" });
  #missing = el("p", { class: "why", hidden: true });
  #outcome = el("p", { class: "outcome", role: "status" });
  #told = "";
  element;

  /** @param {string} id @param {(scene: Scene) => void} onApply @param {() => void} onChanged */
  constructor(id, onApply, onChanged) {
    const apply = el("button", { type: "button", class: "primary", text: t("scenes.apply"), "data-needs": "POST /api/v1/scenes/{name}/apply", onclick: () => this.#scene !== null && onApply(this.#scene) });
    const remove = el("button", { type: "button", class: "secondary", text: t("scenes.remove"), "data-needs": "DELETE /api/v1/scenes/{name}" });
    remove.addEventListener("click", () => removed(remove, `api/v1/scenes/${encodeURIComponent(id)}`, this.#scene, this.#outcome, onChanged));
    this.element = el("li", { class: "rollout", "data-scene": id }, el("header", { class: "row" }, this.#lamps, el("div", { class: "told" }, this.#title, this.#words), apply, remove), this.#missing, this.#outcome);
  }

  /** @param {Scene} scene */
  update(scene) {
    this.#scene = scene;
    setText(this.#title, scene.name);
    const kept = scene.keep ? "" : ` ${t("scenes.not-kept")}`;
    setText(this.#words, t("scenes.lights", { n: scene.lights }) + kept);
    setHidden(this.#missing, scene.missing === 0);
    setText(this.#missing, scene.missing === 0 ? "" : t("scenes.missing", { n: scene.missing }));
    const told = JSON.stringify(scene.colours);
    if (told === this.#told) return;
    this.#told = told;
    this.#lamps.replaceChildren(...scene.colours.map((light) => lamp(light, { size: "small", hidden: true })));
  }
}

/**
 * Remove a scene or schedule as it was seen: where somebody changed it since, nothing is done.
 * @param {HTMLButtonElement} button @param {string} path @param {{revision: number} | null} seen
 * @param {HTMLElement} outcome @param {() => void} onChanged
 */
export async function removed(button, path, seen, outcome, onChanged) {
  if (seen === null) return;
  button.disabled = true;
  try {
    await ask("DELETE", path, { headers: { "If-Match": `"${seen.revision}"` } });
  } catch (trouble) {
    outcome.dataset.tone = "bad";
    setText(outcome, troubleWords(trouble));
  } finally {
    button.disabled = false;
    onChanged();
  }
}
