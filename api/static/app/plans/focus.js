// The one focus of a plan, which goes from light to light. It is a button over the light that it is at; two take
// turns, so that a screen reader is told of each light that it comes to.

import { el, setAttribute, setHidden } from "../base/dom.js";

export class Focus {
  #buttons = [el("button", { type: "button", class: "plan-focus" }), el("button", { type: "button", class: "plan-focus", hidden: true })];

  /** @param {() => void} act by Enter, or by a screen reader */
  constructor(act) {
    for (const button of this.#buttons) button.addEventListener("click", (event) => event.detail === 0 && act());
  }

  get elements() {
    return this.#buttons;
  }

  get #shown() {
    return this.#buttons.find((one) => !one.hidden) ?? this.#buttons[0];
  }

  /** Whether it is seen to be here: come by keys. */
  get visible() {
    return this.#shown === document.activeElement && this.#shown.matches(":focus-visible");
  }

  take() {
    this.#shown.focus({ preventScroll: true });
  }

  /** Where it is and what it says; null: at nothing. @param {{x: number, y: number, size: number, words: string, picked: boolean, key: string} | null} at */
  at(at) {
    this.#dress(this.#shown, at);
  }

  /** It comes to another light, and takes the keys with it, where it had them. @param {{x: number, y: number, size: number, words: string, picked: boolean, key: string}} at @param {boolean} take */
  go(at, take) {
    const before = this.#shown;
    const after = this.#buttons.find((one) => one !== before) ?? before;
    const had = take || document.activeElement === before;
    this.#dress(after, at);
    setHidden(after, false);
    if (had) after.focus({ preventScroll: true });
    setHidden(before, true);
  }

  /** @param {HTMLButtonElement} button @param {{x: number, y: number, size: number, words: string, picked: boolean, key: string} | null} at */
  #dress(button, at) {
    button.style.setProperty("translate", at === null ? "-99px -99px" : `${at.x}px ${at.y}px`);
    setAttribute(button, "data-at", at?.key ?? null);
    button.disabled = at === null;
    if (at === null) return;
    button.style.setProperty("--lamp-size", `${at.size}px`);
    setAttribute(button, "aria-label", at.words);
    setAttribute(button, "aria-pressed", String(at.picked));
  }
}
