// Puts all lamps and gateways of a plan on one canvas, whenever something changed and never otherwise: what it
// costs depends on what is in sight. Lamps that blink are drawn anew ten times a second while they are looked at.

import { blinks, glows } from "../base/words.js";
import { Sprites, litAt } from "./sprites.js";

/** @typedef {import("./items.js").Item} Item */

const BLINK_MS = 100;
const SIZES = [9, 12, 16, 20, 26, 34, 44];
const NAMES_MOST = 150;
const NAMES_FROM_PX = 26;

export class Painter {
  canvas = document.createElement("canvas");
  #context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
  #store;
  #items;
  #view;
  #picked;
  #sprites = new Sprites();
  #frame = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  /** Told before each drawing. */
  onDraw = () => {};
  /** One that is being moved is drawn last. @type {Item | null} */
  held = null;
  size = SIZES[0];
  /** How many drawings there were, for who measures. */
  drawn = 0;

  /** @param {import("../base/store.js").Store} store @param {import("./items.js").Items} items @param {import("./view.js").View} view @param {(devEui: string) => boolean} picked */
  constructor(store, items, view, picked) {
    this.#store = store;
    this.#items = items;
    this.#view = view;
    this.#picked = picked;
    this.canvas.setAttribute("aria-hidden", "true");
    const dress = () => {
      this.#sprites.dress();
      this.#again();
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
    new MutationObserver(dress).observe(document.documentElement, { attributeFilter: ["data-scheme"] });
    this.#sprites.dress();
  }

  /** These changed; without any, all may have. @param {Iterable<string>} [keys] */
  changed(keys) {
    if (keys === undefined) return this.#again();
    let seen = false;
    for (const key of keys) {
      const item = this.#items.byKey.get(key);
      if (item === undefined) continue;
      item.sprite = null;
      seen = true;
    }
    if (seen) this.soon();
  }

  #again() {
    for (const item of this.#items.byKey.values()) item.sprite = null;
    this.soon();
  }

  soon() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** Larger lamps the nearer one looks, smaller ones the more there are. */
  #measure() {
    const { view, count } = { view: this.#view, count: Math.max(1, this.#items.byKey.size) };
    const room = Math.sqrt((view.pictureWidth * view.pictureHeight) / count) * view.scale * 0.42;
    this.size = SIZES.findLast((size) => size <= room) ?? SIZES[0];
    if (this.#sprites.measure(this.size, devicePixelRatio)) for (const item of this.#items.byKey.values()) item.sprite = null;
  }

  #draw() {
    this.#frame = 0;
    clearTimeout(this.#timer);
    this.onDraw();
    this.drawn += 1;
    this.#measure();
    const { width, height } = this.#view;
    const [wide, high] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, wide, high);
    context.scale(devicePixelRatio, devicePixelRatio);
    const at = performance.now();
    const { half } = this.#sprites;
    let blinking = false;
    /** @type {Item[]} */
    const seen = [];
    for (const item of this.#items.byKey.values()) {
      const x = this.#view.left + item.x * this.#view.pictureWidth * this.#view.scale;
      const y = this.#view.top + item.y * this.#view.pictureHeight * this.#view.scale;
      if (x < -half || y < -half || x > width + half || y > height + half || !this.#items.there(item)) continue;
      seen.push(item);
      const blinks = this.#put(item, at);
      blinking ||= blinks;
      if (item.sprite !== null && item !== this.held) context.drawImage(item.sprite, x - half, y - half, half * 2, half * 2);
    }
    if (this.size >= NAMES_FROM_PX && seen.length <= NAMES_MOST) this.#names(seen);
    if (this.held !== null) this.#lift(this.held);
    if (blinking && !this.#calm.matches && !document.hidden) this.#timer = setTimeout(() => this.soon(), BLINK_MS);
  }

  /** Give it its sprite; whether it blinks. @param {Item} item @param {number} at */
  #put(item, at) {
    if (item.type === "gateway") {
      item.sprite ??= this.#sprites.gateway(this.#store.gateways.get(item.id)?.online ?? false);
      return false;
    }
    const device = this.#store.devices.get(item.id);
    if (device === undefined) return false;
    const light = device.reported;
    const moves = light !== null && blinks(light) && glows(device);
    if (item.sprite === null || moves) {
      const lit = !moves || this.#calm.matches || litAt(light, at);
      item.sprite = this.#sprites.lamp({ light, past: !glows(device), kind: this.#store.kind(item.id), picked: this.#picked(item.id), lit });
    }
    return moves;
  }

  /** @param {Item[]} seen */
  #names(seen) {
    const context = this.#context;
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "top";
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeStyle = this.#sprites.colours.surface;
    context.fillStyle = this.#sprites.colours.text;
    for (const item of seen) {
      const { x, y } = this.#view.pixelOf(item.x, item.y);
      const name = this.#items.name(item);
      context.strokeText(name, x, y + this.size * 0.95);
      context.fillText(name, x, y + this.size * 0.95);
    }
  }

  /** @param {Item} item */
  #lift(item) {
    if (item.sprite === null) this.#put(item, 0);
    const { x, y } = this.#view.pixelOf(item.x, item.y);
    const half = this.#sprites.half * 1.5;
    const context = this.#context;
    context.strokeStyle = this.#sprites.colours.focus;
    context.lineWidth = 1;
    context.setLineDash([4, 4]);
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, this.#view.height);
    context.moveTo(0, y);
    context.lineTo(this.#view.width, y);
    context.stroke();
    context.setLineDash([]);
    if (item.sprite !== null) context.drawImage(item.sprite, x - half, y - half, half * 2, half * 2);
  }
}
