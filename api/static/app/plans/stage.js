// Where a plan is looked at: zoomed and moved by wheel, fingers, buttons and keys, with one focus that goes from
// light to light. What is done to lights is told to whoever made it.

import { el, setAttribute, setHidden, setText } from "../base/dom.js";
import { t } from "../base/texts.js";
import { Focus } from "./focus.js";
import { Items } from "./items.js";
import { Note, itemWords } from "./note.js";
import { Painter } from "./painter.js";
import { View, boxOf, clamp } from "./view.js";

/** @typedef {import("./items.js").Item} Item */
/** @typedef {{open: (devEui: string) => void, pick: (devEuis: string[], on: boolean | null) => void, picked: (devEui: string) => boolean,
 *   moved: (item: Item, from: {x: number, y: number} | null) => void, removed: (item: Item) => void, say: (words: string) => void}} Deeds */

const CLICK_PX = 5;
const STEP = 1.35; // of zoom, by button and key
const PAN_PX = 60;
const REACH_PX = 14;
const MOVE = 0.01; // of the picture, by arrow key
const FINE = 0.001;
const SHARP_MS = 160;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Stage {
  view = new View();
  items;
  painter;
  editing = false;
  /** Whether a drag draws a rectangle, and a click chooses. */
  selecting = false;
  #deeds;
  #note;
  #store;
  #image = el("img", { alt: "", draggable: "false" });
  #box = el("div", { class: "plan-box", hidden: true });
  #focus = new Focus(() => this.#act());
  #hint = el("p", { class: "unseen", id: "plan-keys" });
  element;
  #name = "";
  /** @type {Item | null} */
  #at = null;
  /** @type {Item | null} */
  #hovered = null;
  /** What is moved by keys, and where it was; null was nowhere. @type {{item: Item, from: {x: number, y: number} | null} | null} */
  #moving = null;
  /** @type {Map<number, {x: number, y: number}>} */
  #pointers = new Map();
  /** @type {{kind: "pan" | "box" | "move", x: number, y: number, item: Item | null, from: {x: number, y: number} | null, far: boolean} | null} */
  #drag = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #sharp;

  /** @param {import("../base/store.js").Store} store @param {Deeds} deeds */
  constructor(store, deeds) {
    this.#store = store;
    this.#deeds = deeds;
    this.items = new Items(store);
    this.painter = new Painter(store, this.items, this.view, deeds.picked);
    this.painter.onDraw = () => this.#lay();
    this.#note = new Note(store);
    this.element = el("div", { class: "plan-stage", role: "group", "aria-describedby": "plan-keys" }, this.#image, this.painter.canvas, ...this.#focus.elements, this.#box, this.#note.element, this.#hint);
    new ResizeObserver(() => {
      this.view.resize(this.element.clientWidth, this.element.clientHeight);
      this.painter.soon();
    }).observe(this.element);
    this.#image.addEventListener("load", () => {
      this.view.picture(this.#image.naturalWidth, this.#image.naturalHeight);
      this.painter.soon();
    });
    this.#listen();
  }

  /** @param {string} address of the picture, or "" */
  picture(address) {
    setHidden(this.#image, address === "");
    if (address !== "" && this.#image.src !== address) this.#image.src = address;
  }

  /** @param {string} name @param {import("./items.js").Spots} lights @param {import("./items.js").Spots} gateways */
  show(name, lights, gateways) {
    const at = this.#at;
    const moving = this.#moving;
    this.items.set(lights, gateways);
    const key = at === null ? "" : `${at.type} ${at.id}`;
    this.#at = this.items.byKey.get(key) ?? null;
    if (moving !== null) {
      const { item } = moving;
      this.items.byKey.set(`${item.type} ${item.id}`, item); // it is where it is being put
      this.#at = item;
    }
    this.#hovered = null;
    this.#name = name;
    this.changed();
  }

  /** @param {Iterable<string>} [keys] */
  changed(keys) {
    if (keys === undefined) setAttribute(this.element, "aria-label", t("plans.stage", { name: this.#name, n: this.items.lights.length }));
    this.painter.changed(keys);
  }

  fit() {
    this.view.fit();
    this.#soon();
  }

  /** @param {number} times in or out */
  zoom(times) {
    this.view.zoomAt(STEP ** times, this.view.width / 2, this.view.height / 2);
    this.#soon();
  }

  /** The lights in sight. */
  get inView() {
    return this.items.within(this.view, { x: 0, y: 0, width: this.view.width, height: this.view.height });
  }

  /** Take up something that is on no place yet, in the middle of what is seen. @param {"light" | "gateway"} type @param {string} id */
  takeUp(type, id) {
    this.letGo();
    const middle = this.view.shareAt(this.view.width / 2, this.view.height / 2);
    const item = this.#put(type, id, middle.x, middle.y);
    this.#moving = { item, from: null };
    this.painter.held = item;
    this.#go(item, true);
    this.#sayPlace("plans.placing", item);
  }

  /** Something was dropped at this point of the screen; false where that is beside the plan. @param {"light" | "gateway"} type @param {string} id @param {number} x @param {number} y */
  drop(type, id, x, y) {
    const box = this.element.getBoundingClientRect();
    if (x < box.left || x > box.right || y < box.top || y > box.bottom) return false;
    const share = this.view.shareAt(x - box.left, y - box.top);
    const item = this.#put(type, id, share.x, share.y);
    this.#deeds.moved(item, null);
    return true;
  }

  /** Leave what is being moved where it was. */
  letGo() {
    const moving = this.#moving;
    this.#moving = null;
    this.painter.held = null;
    if (moving === null) return;
    const { item, from } = moving;
    if (from === null) this.items.byKey.delete(`${item.type} ${item.id}`);
    else Object.assign(item, from);
    this.#deeds.say(t("plans.let-go", { name: this.items.name(item) }));
    if (from === null) this.#at = null;
    this.painter.soon();
  }

  focus() {
    this.#focus.take();
  }

  /** @param {"light" | "gateway"} type @param {string} id @param {number} x @param {number} y @returns {Item} */
  #put(type, id, x, y) {
    const item = { type, id, x: clamp(x), y: clamp(y), sprite: null };
    this.items.byKey.set(`${type} ${id}`, item);
    this.painter.soon();
    return item;
  }

  #soon() {
    this.element.classList.add("moving");
    clearTimeout(this.#sharp);
    this.#sharp = setTimeout(() => this.element.classList.remove("moving"), SHARP_MS);
    this.painter.soon();
  }

  /** Everything that is not on the canvas goes where it belongs. */
  #lay() {
    const { left, top, scale } = this.view;
    this.#image.style.setProperty("transform", `translate(${left}px, ${top}px) scale(${scale})`);
    setText(this.#hint, t(this.editing ? "plans.keys-edit" : "plans.keys"));
    if (this.#at === null || !this.items.there(this.#at)) this.#at = this.items.lights[0] ?? null;
    this.#focus.at(this.#at && this.#told(this.#at));
    this.#tellNote();
  }

  /** What the focus says of it. @param {Item} item */
  #told(item) {
    const words = itemWords(item, this.items.name(item), this.#store);
    const picked = item.type === "light" && this.#deeds.picked(item.id);
    return { ...this.view.pixelOf(item.x, item.y), size: this.painter.size, words, picked, key: `${item.type} ${item.id}` };
  }

  #tellNote() {
    const item = this.#hovered ?? (this.#focus.visible ? this.#at : null);
    if (item === null || this.#drag?.far || !this.items.there(item)) return this.#note.hide();
    return this.#note.show(item, this.items.name(item), this.view.pixelOf(item.x, item.y), this.view, this.painter.size);
  }

  /** The focus comes to this one. @param {Item} item @param {boolean} take */
  #go(item, take) {
    this.#at = item;
    this.view.reveal(item, 40);
    this.#focus.go(this.#told(item), take);
    this.#soon();
  }

  // ---------------------------------------------------------------- pointers

  #listen() {
    const { element } = this;
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      const { x, y } = this.#pixel(event);
      this.view.zoomAt(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), x, y);
      this.#soon();
    }, { passive: false });
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#up(event, true));
    element.addEventListener("pointercancel", (event) => this.#up(event, false));
    element.addEventListener("pointerleave", () => this.#hover(null));
    element.addEventListener("keydown", (event) => this.#key(event));
    element.addEventListener("focusin", () => this.painter.soon());
    element.addEventListener("focusout", () => this.painter.soon());
  }

  /** @param {MouseEvent} event */
  #pixel(event) {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {{x: number, y: number}} at */
  #hit({ x, y }) {
    return this.items.near(this.view, x, y, Math.max(REACH_PX, this.painter.size * 0.75));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    const at = this.#pixel(event);
    this.#pointers.set(event.pointerId, at);
    if (this.#pointers.size > 1) {
      this.#drag = null; // two fingers zoom
      setHidden(this.#box, true);
      return;
    }
    const item = this.#hit(at);
    const kind = this.editing && item !== null && this.items.movable(item) ? "move" : event.shiftKey || this.selecting ? "box" : "pan";
    this.#drag = { kind, ...at, item, from: item && { x: item.x, y: item.y }, far: false };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const at = this.#pixel(event);
    const before = this.#pointers.get(event.pointerId);
    if (before === undefined) return this.#hover(event.pointerType === "touch" ? null : this.#hit(at));
    this.#pointers.set(event.pointerId, at);
    if (this.#pointers.size === 2) return this.#pinch(before, at, event.pointerId);
    const drag = this.#drag;
    if (drag === null) return undefined;
    drag.far ||= Math.hypot(at.x - drag.x, at.y - drag.y) > CLICK_PX;
    if (!drag.far) return undefined;
    if (drag.kind === "pan") this.view.pan(at.x - before.x, at.y - before.y);
    else if (drag.kind === "box") this.#drawBox(drag, at);
    else if (drag.item !== null) {
      const share = this.view.shareAt(at.x, at.y);
      Object.assign(drag.item, { x: clamp(share.x), y: clamp(share.y) });
      this.painter.held = drag.item;
    }
    return this.#soon();
  }

  /** @param {{x: number, y: number}} before @param {{x: number, y: number}} at @param {number} id */
  #pinch(before, at, id) {
    const other = [...this.#pointers].find(([one]) => one !== id)?.[1] ?? at;
    const [was, is] = [before, at].map((one) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)));
    this.view.zoomAt(is / was, (at.x + other.x) / 2, (at.y + other.y) / 2);
    this.view.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
    this.#soon();
  }

  /** @param {PointerEvent} event @param {boolean} done */
  #up(event, done) {
    if (!this.#pointers.delete(event.pointerId)) return;
    const drag = this.#drag;
    this.#drag = null;
    setHidden(this.#box, true);
    this.painter.held = this.#moving?.item ?? null;
    if (drag === null) return;
    const at = this.#pixel(event);
    if (!done && drag.item !== null && drag.from !== null) Object.assign(drag.item, drag.from);
    else if (drag.kind === "box" && drag.far) this.#deeds.pick(this.items.within(this.view, boxOf(drag, at)), true);
    else if (drag.kind === "move" && drag.far && drag.item !== null) this.#deeds.moved(drag.item, drag.from);
    else if (!drag.far && done) this.#click(drag.item, at, event);
    this.#soon();
  }

  /** @param {Item | null} item @param {{x: number, y: number}} at @param {PointerEvent} event */
  #click(item, at, event) {
    if (this.#moving !== null) {
      const share = this.view.shareAt(at.x, at.y);
      Object.assign(this.#moving.item, { x: clamp(share.x), y: clamp(share.y) });
      return this.#putDown();
    }
    if (item === null) return undefined;
    this.#at = item;
    this.focus();
    if (item.type === "light" && (this.selecting || event.shiftKey || event.ctrlKey || event.metaKey)) return this.#deeds.pick([item.id], null);
    if (item.type === "light" && !this.editing) this.#deeds.open(item.id);
    return undefined;
  }

  /** @param {{x: number, y: number}} from @param {{x: number, y: number}} to */
  #drawBox(from, to) {
    const box = boxOf(from, to);
    for (const [name, value] of /** @type {[string, number][]} */ ([["left", box.x], ["top", box.y], ["width", box.width], ["height", box.height]])) this.#box.style.setProperty(name, `${value}px`);
    setHidden(this.#box, false);
  }

  /** @param {Item | null} item */
  #hover(item) {
    if (item === this.#hovered) return;
    this.#hovered = item;
    this.element.classList.toggle("over", item !== null);
    this.#tellNote();
  }

  // ---------------------------------------------------------------- keys

  /** Enter, or a screen reader's click. */
  #act() {
    if (this.#moving !== null) return this.#putDown();
    const item = this.#at;
    if (item === null) return undefined;
    if (!this.editing) return item.type === "light" ? this.#deeds.open(item.id) : undefined;
    if (!this.items.movable(item)) return undefined;
    this.#moving = { item, from: { x: item.x, y: item.y } };
    this.painter.held = item;
    this.painter.soon();
    return this.#sayPlace("plans.placing", item);
  }

  #putDown() {
    const moving = this.#moving;
    if (moving === null) return;
    this.#moving = null;
    this.painter.held = null;
    this.#deeds.moved(moving.item, moving.from);
    this.painter.soon();
  }

  /** @param {"plans.placing" | "plans.at"} key @param {Item} item */
  #sayPlace(key, item) {
    const share = (/** @type {number} */ part) => `${Math.round(part * 1000) / 10} %`;
    this.#deeds.say(t(key, { name: this.items.name(item), x: share(item.x), y: share(item.y) }));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.#keyed(event)) event.preventDefault();
  }

  /** Whether the key meant something. @param {KeyboardEvent} event */
  #keyed(event) {
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "a") this.#deeds.pick(this.inView, true);
    else if (command || event.altKey) return false;
    else if (event.key in ARROWS) this.#arrow(event.key, event.shiftKey);
    else if (event.key === " ") this.#at?.type === "light" && this.#deeds.pick([this.#at.id], null);
    else if (event.key === "Enter") this.#act();
    else if (event.key === "+" || event.key === "=") this.zoom(1);
    else if (event.key === "-") this.zoom(-1);
    else if (event.key === "0") this.fit();
    else if (event.key === "Escape" && this.#moving !== null) this.letGo();
    else if (event.key === "Delete" && this.editing && this.#moving === null && this.#at !== null && this.items.movable(this.#at)) this.#deeds.removed(this.#at);
    else return false;
    return true;
  }

  /** @param {string} key @param {boolean} shift */
  #arrow(key, shift) {
    const [dx, dy] = ARROWS[key];
    if (this.#moving !== null) {
      const { item } = this.#moving;
      const by = shift ? FINE : MOVE;
      Object.assign(item, { x: clamp(item.x + dx * by), y: clamp(item.y + dy * by) });
      this.view.reveal(item, 20);
      this.#soon();
      this.#sayPlace("plans.at", item);
    } else if (shift) {
      this.view.pan(-dx * PAN_PX, -dy * PAN_PX);
      this.#soon();
    } else if (this.#at !== null) {
      const next = this.items.next(this.view, this.#at, dx, dy);
      if (next !== null) this.#go(next, false);
    }
  }
}
