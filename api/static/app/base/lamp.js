// `<lamp-light>`: a lamp that shows one light, glowing, dark, blinking or unknown. It shows what it is
// given and decides nothing.

import { t } from "./texts.js";
import { blinks, colourLetter, isDark, lightWords, sameLight } from "./words.js";

/** @typedef {import("./wire.js").Light} Light */

// Blink times are hundredths of a second (Plenom v4.2.2). No page may flash more than three times a
// second (WCAG 2.3.1), whatever the light does.
const UNIT_MS = 10;
const PERIOD_LEAST_MS = 400;
// A lamp does not switch like a pixel; a short fade of the lens also calms a wall of them.
const FADE_MS = 60;
// Bytes are duty cycles of an LED; the eye sees a fifth of the duty as nearly half as bright.
const EYE = 1 / 2.2;

const calm = matchMedia("(prefers-reduced-motion: reduce)");
/** @type {Set<LampLight>} */
const blinking = new Set();
calm.addEventListener("change", () => {
  for (const lamp of blinking) lamp.blink();
});

class LampLight extends HTMLElement {
  /** @type {Light | null | undefined} */
  #light;
  /** @type {HTMLElement | null} */
  #lit = null;
  #letter = document.createElement("b");
  /** @type {Animation | null} */
  #animation = null;

  /** The light, or null while it is not known. @param {Light | null} light */
  set light(light) {
    const before = this.#light;
    if (before !== undefined && (before === light || (before && light && sameLight(before, light)))) return;
    this.#light = light;
    if (this.#lit !== null) this.#show();
  }

  /** Whether what it shows was not heard lately: then it does not glow, nor blink. @param {boolean} past */
  set past(past) {
    if (this.classList.contains("past") === past) return;
    this.classList.toggle("past", past);
    if (this.#lit !== null) this.#show();
  }

  get light() {
    return this.#light ?? null;
  }

  connectedCallback() {
    if (this.#lit === null) {
      const [base, lit, glow, lens] = ["base", "lit", "glow", "lens"].map((name) => {
        const part = document.createElement("span");
        part.className = `lamp-${name}`;
        return part;
      });
      lit.append(glow, lens);
      this.#letter.className = "lamp-letter";
      this.append(base, lit, this.#letter);
      this.#lit = lit;
      if (!this.hasAttribute("aria-hidden")) this.setAttribute("role", "img");
    }
    this.#show();
  }

  disconnectedCallback() {
    blinking.delete(this);
    this.#animation?.cancel();
    this.#animation = null;
  }

  #show() {
    const light = this.light;
    this.classList.toggle("unknown", light === null);
    this.classList.toggle("dark", light !== null && isDark(light));
    if (!this.hasAttribute("aria-hidden")) this.setAttribute("aria-label", t(this.classList.contains("past") ? "colour.showed-label" : "colour.shows-label", { light: lightWords(light) }));
    if (light !== null && !isDark(light)) {
      const most = Math.max(light.red, light.green, light.blue);
      const [red, green, blue] = [light.red, light.green, light.blue].map((byte) => Math.round((byte * 255) / most));
      this.style.setProperty("--hue", `rgb(${red} ${green} ${blue})`);
      this.style.setProperty("--level", String((most / 255) ** EYE));
    }
    this.#letter.textContent = colourLetter(light);
    this.blink();
  }

  /** Blink as the light does; still, with half a lens, for who asked for less motion. */
  blink() {
    const light = this.light;
    this.#animation?.cancel();
    this.#animation = null;
    const does = light !== null && blinks(light) && !this.classList.contains("past");
    this.classList.toggle("blinks", does);
    if (!does || !this.isConnected || this.#lit === null) {
      blinking.delete(this);
      return;
    }
    blinking.add(this);
    if (calm.matches) return;
    const asked = (Math.max(light.on, 1) + light.off) * UNIT_MS;
    const period = Math.max(asked, PERIOD_LEAST_MS);
    const share = Math.max(light.on, 1) / (Math.max(light.on, 1) + light.off);
    const fade = Math.min(FADE_MS / period, share / 3, (1 - share) / 3);
    this.#animation = this.#lit.animate(
      [
        { opacity: 1, offset: 0 },
        { opacity: 1, offset: share - fade },
        { opacity: 0, offset: share },
        { opacity: 0, offset: 1 - fade },
        { opacity: 1, offset: 1 },
      ],
      { duration: period, iterations: Infinity },
    );
    this.#animation.startTime = 0; // lamps of one pattern blink together
  }
}

customElements.define("lamp-light", LampLight);

/**
 * A lamp; `size` is a class of the style sheet. Hidden from screen readers where words stand by.
 * @param {Light | null} light @param {{size?: string, hidden?: boolean}} [options]
 */
export function lamp(light, { size = "", hidden = false } = {}) {
  const element = /** @type {LampLight} */ (document.createElement("lamp-light"));
  if (size) element.classList.add(size);
  if (hidden) element.setAttribute("aria-hidden", "true");
  element.light = light;
  return element;
}
