// Thousands of items of which only those in sight are on the page. What it costs depends on the size of
// the screen, never on that of the fleet; the item with the focus always stays.

import { arrange } from "../base/dom.js";

/** @typedef {{element: HTMLElement, update: () => void, focus?: () => void}} Item */
/** @typedef {{key: string, head: boolean}} Entry */
/** @typedef {{least: number, height: number, gap: number, head: number}} Measures in rem; `least` 0: one column */
/** @typedef {{entry: Entry, x: number, y: number, width: number, height: number, row: number, at: number}} Place */

// Drawn above and below what is in sight, so that scrolling meets no gap.
const BEYOND_PX = 500;

export class Window {
  #root;
  #make;
  /** @type {Measures} */
  #measures = { least: 0, height: 3, gap: 0, head: 3 };
  /** @type {Entry[]} */
  #entries = [];
  /** @type {Place[]} */
  #places = [];
  /** @type {Map<string, number>} */
  #at = new Map();
  /** @type {Map<string, Item>} */
  #items = new Map();
  /** Where each of them was put: what stands there already is not put again. @type {Map<string, string>} */
  #placed = new Map();
  #width = 0;
  #frame = 0;
  /** The light that the arrow keys are at. */
  active = "";

  /** @param {HTMLElement} root @param {(entry: Entry) => Item} make */
  constructor(root, make) {
    this.#root = root;
    this.#make = make;
    addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => {
      if (root.clientWidth !== this.#width) this.#lay();
      this.#soon();
    }).observe(root);
    addEventListener("resize", () => this.#soon());
    root.addEventListener("keydown", (event) => this.#move(event));
    root.addEventListener("focusin", (event) => {
      const key = /** @type {HTMLElement} */ (event.target).closest("[data-eui]")?.getAttribute("data-eui");
      if (key) this.#activate(key);
    });
  }

  /** Other items of another size. @param {Measures} measures */
  measure(measures) {
    this.#measures = measures;
    this.#items.clear();
    this.#placed.clear();
    this.#root.replaceChildren();
  }

  /** @param {Entry[]} entries */
  show(entries) {
    this.#entries = entries;
    this.#lay();
    this.draw();
  }

  /** The item of this key where it is on the page. @param {string} key */
  item(key) {
    return this.#items.get(key);
  }

  get items() {
    return this.#items;
  }

  /** @param {string} key */
  focus(key) {
    this.#activate(key);
    this.#reveal(key);
    this.#items.get(key)?.focus?.();
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => this.draw());
  }

  #lay() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const { least, height, gap, head } = this.#measures;
    this.#width = this.#root.clientWidth;
    const columns = least === 0 ? 1 : Math.max(1, Math.floor((this.#width + gap * rem) / ((least + gap) * rem)));
    const width = (this.#width - (columns - 1) * gap * rem) / columns;
    let y = 0;
    let column = 0;
    let row = 0;
    this.#at.clear();
    this.#places = this.#entries.map((entry, at) => {
      if (!entry.head) this.#at.set(entry.key, at);
      if (entry.head || column === columns) {
        if (column > 0) {
          y += (height + gap) * rem;
          row += 1;
        }
        column = 0;
      }
      if (entry.head) {
        const place = { entry, x: 0, y, width: this.#width, height: head * rem, row, at };
        y += head * rem;
        row += 1;
        return place;
      }
      const place = { entry, x: column * (width + gap * rem), y, width, height: height * rem, row, at };
      column += 1;
      return place;
    });
    if (column > 0) y += height * rem;
    this.#root.style.setProperty("height", `${Math.ceil(y)}px`);
    if (!this.#at.has(this.active)) this.active = this.#entries.find((entry) => !entry.head)?.key ?? "";
  }

  /** Put on the page what is in sight. */
  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const top = this.#root.getBoundingClientRect().top;
    const from = -top - BEYOND_PX;
    const to = innerHeight - top + BEYOND_PX;
    let first = this.#firstBelow(from);
    const seen = [];
    while (first < this.#places.length && this.#places[first].y < to) seen.push(this.#places[first++]);
    const focused = document.activeElement?.closest("[data-eui]")?.getAttribute("data-eui");
    const kept = focused === null || focused === undefined || !this.#root.contains(document.activeElement) ? undefined : this.#at.get(focused);
    if (kept !== undefined && !seen.some((place) => place.at === kept)) seen.push(this.#places[kept]);
    seen.sort((a, b) => a.at - b.at);
    const keys = new Set(seen.map(({ entry }) => entry.key));
    for (const key of this.#items.keys()) {
      if (keys.has(key)) continue;
      this.#items.delete(key);
      this.#placed.delete(key);
    }
    const held = document.activeElement;
    arrange(this.#root, seen.map((place) => this.#put(place)));
    // An element that was moved loses the focus.
    if (held instanceof HTMLElement && held !== document.activeElement && this.#root.contains(held)) held.focus({ preventScroll: true });
  }

  /** @param {Place} place */
  #put(place) {
    const { entry, x, y, width, height } = place;
    let item = this.#items.get(entry.key);
    if (item === undefined) {
      item = this.#make(entry);
      this.#items.set(entry.key, item);
      item.update();
    }
    const { element } = item;
    const where = `${x} ${y} ${width} ${height} ${place.at} ${this.#at.size}`;
    if (this.#placed.get(entry.key) === where) return element;
    this.#placed.set(entry.key, where);
    element.style.setProperty("translate", `${x}px ${y}px`);
    element.style.setProperty("width", `${width}px`);
    element.style.setProperty("height", `${height}px`);
    if (!entry.head) {
      element.setAttribute("aria-setsize", String(this.#at.size));
      element.setAttribute("aria-posinset", String(place.at + 1));
      if (element.getAttribute("role") === "row") {
        element.removeAttribute("aria-setsize");
        element.removeAttribute("aria-posinset");
        element.setAttribute("aria-rowindex", String(place.at + 2));
      }
      this.#tab(entry.key, element);
    }
    return element;
  }

  /** @param {string} key @param {HTMLElement} element */
  #tab(key, element) {
    for (const inner of element.querySelectorAll("button, input")) {
      /** @type {HTMLElement} */ (inner).tabIndex = key === this.active ? 0 : -1;
    }
  }

  /** @param {string} key */
  #activate(key) {
    if (key === this.active) return;
    const before = this.#items.get(this.active);
    const old = this.active;
    this.active = key;
    if (before !== undefined) this.#tab(old, before.element);
    const now = this.#items.get(key);
    if (now !== undefined) this.#tab(key, now.element);
  }

  /** The first place that ends below `y`. @param {number} y */
  #firstBelow(y) {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#places[middle].y + this.#places[middle].height < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {string} key */
  #reveal(key) {
    const place = this.#places[this.#at.get(key) ?? -1];
    if (place === undefined) return;
    const top = this.#root.getBoundingClientRect().top + place.y;
    const head = document.querySelector(".top")?.getBoundingClientRect().bottom ?? 0;
    const columns = document.querySelector(".columns:not([hidden])")?.getBoundingClientRect().height ?? 0;
    const above = top - Math.max(head, 0) - columns - 12;
    const below = top + place.height - innerHeight + 90;
    if (above < 0) scrollBy({ top: above, behavior: "instant" });
    else if (below > 0) scrollBy({ top: below, behavior: "instant" });
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const at = this.#at.get(this.active);
    if (at === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = this.#places[at];
    /** @type {Place | undefined} */
    let goal;
    switch (event.key) {
      case "ArrowRight":
        goal = this.#next(at, 1);
        break;
      case "ArrowLeft":
        goal = this.#next(at, -1);
        break;
      case "ArrowDown":
        goal = this.#nearest(here, 1, 1);
        break;
      case "ArrowUp":
        goal = this.#nearest(here, -1, 1);
        break;
      case "PageDown":
        goal = this.#nearest(here, 1, Math.max(1, Math.floor((innerHeight * 0.7) / here.height)));
        break;
      case "PageUp":
        goal = this.#nearest(here, -1, Math.max(1, Math.floor((innerHeight * 0.7) / here.height)));
        break;
      case "Home":
        goal = this.#next(-1, 1);
        break;
      case "End":
        goal = this.#next(this.#places.length, -1);
        break;
      default:
        return;
    }
    event.preventDefault();
    if (goal !== undefined) this.focus(goal.entry.key);
  }

  /** @param {number} at @param {number} step */
  #next(at, step) {
    do at += step;
    while (this.#places[at]?.entry.head);
    return this.#places[at];
  }

  /** The light `rows` further on in this direction that stands nearest below or above. @param {Place} here @param {number} step @param {number} rows */
  #nearest(here, step, rows) {
    let best;
    let row = here.row;
    let left = rows;
    for (let at = here.at + step; this.#places[at] !== undefined; at += step) {
      const place = this.#places[at];
      if (place.entry.head || place.row === here.row) continue;
      if (place.row !== row) {
        if (left === 0) break;
        left -= 1;
        row = place.row;
        best = undefined;
      }
      if (best === undefined || Math.abs(place.x - here.x) < Math.abs(best.x - here.x)) best = place;
    }
    return best;
  }
}
