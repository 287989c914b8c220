// The lights and gateways on the plan that is looked at: where they are, what they are called, and which is near.

import { seesAll } from "../base/may.js";
import { nameOf } from "../fleet/filter.js";

/** @typedef {import("../base/store.js").Store} Store */
/** @typedef {{type: "light" | "gateway", id: string, x: number, y: number, sprite: CanvasImageSource | null}} Item shares of the picture */
/** @typedef {Record<string, [number, number]>} Spots */

export class Items {
  /** @type {Map<string, Item>} */
  byKey = new Map();
  #store;

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
  }

  /** @param {Spots} lights @param {Spots} gateways */
  set(lights, gateways) {
    this.byKey.clear();
    for (const [id, [x, y]] of Object.entries(gateways)) this.byKey.set(`gateway ${id}`, { type: "gateway", id, x, y, sprite: null });
    for (const [id, [x, y]] of Object.entries(lights)) this.byKey.set(`light ${id}`, { type: "light", id, x, y, sprite: null });
  }

  /** Whether the service knows it: what it does not know is on no plan. @param {Item} item */
  there(item) {
    return item.type === "light" ? this.#store.devices.has(item.id) : this.#store.gateways.has(item.id);
  }

  /** Whether the caller may move it: where gateways are concerns all lights. @param {Item} item */
  movable(item) {
    return item.type === "light" || seesAll();
  }

  /** @param {Item} item */
  name(item) {
    const device = item.type === "light" ? this.#store.devices.get(item.id) : undefined;
    return device === undefined ? this.#store.gatewayName(item.id) : nameOf(device);
  }

  /** The lights that are known, by DevEUI. */
  get lights() {
    return [...this.byKey.values()].filter((item) => item.type === "light" && this.there(item));
  }

  /** The nearest to this pixel, within a reach. @param {import("./view.js").View} view @param {number} x @param {number} y @param {number} reach */
  near(view, x, y, reach) {
    /** @type {Item | null} */
    let best = null;
    let least = reach * reach;
    for (const item of this.byKey.values()) {
      const dx = view.left + item.x * view.pictureWidth * view.scale - x;
      const dy = view.top + item.y * view.pictureHeight * view.scale - y;
      const far = dx * dx + dy * dy;
      if (far <= least && this.there(item)) {
        best = item;
        least = far;
      }
    }
    return best;
  }

  /** The next in a direction: nearest, where what lies aside counts twice. @param {import("./view.js").View} view @param {Item} from @param {number} dx @param {number} dy */
  next(view, from, dx, dy) {
    /** @type {Item | null} */
    let best = null;
    let least = Infinity;
    for (const item of this.byKey.values()) {
      if (item === from || !this.there(item)) continue;
      const x = (item.x - from.x) * view.pictureWidth;
      const y = (item.y - from.y) * view.pictureHeight;
      const along = x * dx + y * dy;
      const aside = Math.abs(x * dy) + Math.abs(y * dx);
      if (along <= 0 || aside > along * 2.5) continue;
      const far = along + aside * 2;
      if (far < least) {
        best = item;
        least = far;
      }
    }
    return best;
  }

  /** Lights whose middle lies in this rectangle of pixels. @param {import("./view.js").View} view @param {{x: number, y: number, width: number, height: number}} box */
  within(view, box) {
    return this.lights.filter((item) => {
      const { x, y } = view.pixelOf(item.x, item.y);
      return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
    }).map((item) => item.id);
  }
}
