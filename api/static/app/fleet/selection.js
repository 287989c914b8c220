// Which lights are chosen for a common order. Only lights that exist are chosen; a range goes from the
// light chosen before to the one chosen with the shift key, in the order shown.

export class Selection {
  /** @type {Set<string>} */
  lights = new Set();
  #anchor = "";
  #tell;

  /** @param {(changed: Iterable<string>) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  get size() {
    return this.lights.size;
  }

  /** @param {string} devEui */
  has(devEui) {
    return this.lights.has(devEui);
  }

  /** @param {string} devEui @param {boolean} on @param {string[]} shown all lights in their order; with `range` */
  set(devEui, on, shown = [], range = false) {
    const from = range ? shown.indexOf(this.#anchor) : -1;
    const to = shown.indexOf(devEui);
    const some = from < 0 ? [devEui] : shown.slice(Math.min(from, to), Math.max(from, to) + 1);
    this.#anchor = devEui;
    this.setAll(some, on);
  }

  /** @param {Iterable<string>} some @param {boolean} on */
  setAll(some, on) {
    const changed = [...some];
    for (const devEui of changed) {
      if (on) this.lights.add(devEui);
      else this.lights.delete(devEui);
    }
    this.#tell(changed);
  }

  clear() {
    this.setAll([...this.lights], false);
  }

  /** Lights that are gone cannot be told anything. @param {{has: (devEui: string) => boolean}} existing */
  keepOnly(existing) {
    const gone = [...this.lights].filter((devEui) => !existing.has(devEui));
    if (gone.length > 0) this.setAll(gone, false);
  }
}
