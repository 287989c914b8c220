// The lights and gateways that are not on the plan: dragged onto it, or chosen and then placed by arrow keys.

import { arrange, el, setHidden, setText } from "../base/dom.js";
import { compare } from "../base/locale.js";
import { seesAll } from "../base/may.js";
import { t } from "../base/texts.js";
import { nameOf } from "../fleet/filter.js";

/** @typedef {{type: "light" | "gateway", id: string, name: string}} Unplaced */

// So many names are a list that one reads; more are found by typing.
const SHOWN_MOST = 200;
const DRAG_PX = 6;

export class UnplacedList {
  #store;
  #stage;
  #search = el("input", { type: "search", autocomplete: "off" });
  #list = el("ul", { class: "unplaced-list" });
  #count = el("p", { class: "hint", role: "status" });
  #more = el("p", { class: "hint", hidden: true });
  #ghost = el("span", { class: "plan-ghost", "aria-hidden": "true", hidden: true });
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  element;

  /** @param {import("../base/store.js").Store} store @param {import("./stage.js").Stage} stage */
  constructor(store, stage) {
    this.#store = store;
    this.#stage = stage;
    this.#search.addEventListener("input", () => this.draw());
    this.element = el(
      "section",
      { class: "unplaced", "aria-labelledby": "unplaced-title", hidden: true },
      el("h2", { id: "unplaced-title", text: t("plans.unplaced-title") }),
      this.#count,
      el("p", { class: "hint", text: t("plans.drag") }),
      el("label", { class: "field" }, el("span", { text: t("plans.find") }), this.#search),
      this.#list,
      this.#more,
      this.#ghost,
    );
  }

  draw() {
    const placed = this.#stage.items.byKey;
    /** @type {Unplaced[]} */
    const left = [];
    // Where gateways are is of all lights.
    for (const gateway of seesAll() ? this.#store.gateways.values() : []) {
      if (!placed.has(`gateway ${gateway.gateway_id}`)) left.push({ type: "gateway", id: gateway.gateway_id, name: t("plans.gateway", { name: gateway.name || gateway.gateway_id }) });
    }
    for (const device of this.#store.devices.values()) {
      if (!placed.has(`light ${device.dev_eui}`)) left.push({ type: "light", id: device.dev_eui, name: nameOf(device) });
    }
    setText(this.#count, left.length === 0 ? t("plans.all-placed") : t("plans.unplaced", { n: left.length }));
    const wanted = this.#search.value.trim().toLowerCase();
    const found = left.filter((one) => `${one.name} ${one.id}`.toLowerCase().includes(wanted)).sort((a, b) => compare(a.name, b.name));
    const shown = found.slice(0, SHOWN_MOST);
    const keys = new Set(shown.map((one) => `${one.type} ${one.id}`));
    for (const key of this.#rows.keys()) if (!keys.has(key)) this.#rows.delete(key);
    arrange(this.#list, shown.map((one) => this.#row(one)));
    setHidden(this.#more, found.length <= SHOWN_MOST);
    setText(this.#more, t("plans.more", { n: found.length - SHOWN_MOST }));
  }

  /** @param {Unplaced} one */
  #row(one) {
    const key = `${one.type} ${one.id}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      const button = el("button", { type: "button", class: "plain", title: one.id, "aria-label": t("plans.place", { name: one.name }), text: one.name });
      button.addEventListener("click", () => this.#stage.takeUp(one.type, one.id));
      button.addEventListener("pointerdown", (event) => this.#drag(event, button, one));
      row = el("li", { "data-unplaced": key }, button);
      this.#rows.set(key, row);
    }
    return row;
  }

  /** @param {PointerEvent} down @param {HTMLElement} button @param {Unplaced} one */
  #drag(down, button, one) {
    if (down.button !== 0) return;
    const end = new AbortController();
    let far = false;
    button.setPointerCapture(down.pointerId);
    button.addEventListener("pointermove", (event) => {
      far ||= Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > DRAG_PX;
      if (!far) return;
      setText(this.#ghost, one.name);
      setHidden(this.#ghost, false);
      this.#ghost.style.setProperty("translate", `${event.clientX}px ${event.clientY}px`);
    }, { signal: end.signal });
    const over = (/** @type {PointerEvent} */ event) => {
      end.abort();
      setHidden(this.#ghost, true);
      if (!far || event.type !== "pointerup") return;
      button.addEventListener("click", (click) => click.stopImmediatePropagation(), { once: true, capture: true });
      setTimeout(() => button.dispatchEvent(new Event("dragged")), 0);
      this.#stage.drop(one.type, one.id, event.clientX, event.clientY);
    };
    button.addEventListener("pointerup", over, { signal: end.signal });
    button.addEventListener("pointercancel", over, { signal: end.signal });
  }
}
