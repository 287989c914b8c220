// A plan on a wall: nothing to operate, and nobody there to look whether it still runs. It says how old what it
// shows is, in letters that are read across a room, keeps the screen awake where it may, and owns no timer but
// the one that tells the time.

import { clockTime, now, shortTime } from "../base/clock.js";
import { el, setAttribute, setHidden, setText } from "../base/dom.js";
import { t } from "../base/texts.js";

const TICK_MS = 1_000;
// A blink of the connection is not told across the room.
const PATIENCE_S = 3;

/** Whether this page hangs on a wall. */
export function onWall() {
  return new URL(location.href).searchParams.has("wall");
}

export class Wall {
  #connection;
  #name = el("strong");
  #clock = el("span", { class: "wall-clock" });
  #old = el("span", { class: "wall-old", role: "status", hidden: true });
  /** @type {WakeLockSentinel | null} */
  #lock = null;
  #on = false;
  element = el("div", { class: "wall-line", hidden: true }, this.#name, this.#old, this.#clock);

  /** @param {import("../base/connection.js").Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    document.addEventListener("visibilitychange", () => this.#wake());
  }

  /** @param {boolean} on @param {string} name */
  show(on, name) {
    setAttribute(document.documentElement, "data-wall", on ? "" : null);
    setHidden(this.element, !on);
    setText(this.#name, name);
    if (on && !this.#on) {
      this.#on = true;
      this.#wake();
      this.#tick();
    }
    this.#on = on;
  }

  /** Each tick asks for the next: a page that slept makes one, not a night's worth of them. */
  #tick() {
    if (!this.#on) return;
    setText(this.#clock, shortTime(now()));
    this.look();
    setTimeout(() => this.#tick(), TICK_MS);
  }

  /** Whether what it shows is current; asked at once when the connection came or broke. */
  look() {
    if (!this.#on) return;
    const { state, trueAt } = this.#connection;
    const age = trueAt === null ? Infinity : now() - trueAt;
    const fresh = state === "live" || (trueAt !== null && age < PATIENCE_S);
    setAttribute(document.documentElement, "data-old", fresh ? null : "");
    setHidden(this.#old, fresh);
    if (!fresh) setText(this.#old, trueAt === null ? t("plans.wall-never") : t("plans.wall-old", { when: clockTime(trueAt) }));
  }

  /** A browser takes the lock back whenever the page is hidden. */
  async #wake() {
    if (!this.#on || document.hidden || !("wakeLock" in navigator) || this.#lock?.released === false) return;
    try {
      this.#lock = await navigator.wakeLock.request("screen");
    } catch {
      this.#lock = null; // not allowed here, or the battery is low: the screen is somebody else's then
    }
  }
}
