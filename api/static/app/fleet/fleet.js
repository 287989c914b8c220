// The page of all lights. A change touches what is shown of the lights that changed, and is put into
// order only where the order depends on it; what is out of sight is not drawn.

import { choose, chosen } from "../base/address.js";
import { el, icon, setAttribute, setHidden, setText } from "../base/dom.js";
import { freshBatch } from "../base/store.js";
import { t } from "../base/texts.js";
import { LightCard } from "./card.js";
import { COLUMNS, grouped, matcher, nameOf, sortKey, sorted } from "./filter.js";
import { LightRow } from "./row.js";
import { Selection } from "./selection.js";
import { SHOWS, Toolbar, choice } from "./toolbar.js";
import { Window } from "./window.js";

/** @typedef {import("../base/store.js").Store} Store */
/** @typedef {import("../base/store.js").Batch} Batch */

/** @type {Record<string, import("./window.js").Measures>} */
const MEASURES = {
  cards: { least: 9.6, height: 14.1, gap: 0.7, head: 3.2 },
  dense: { least: 4.6, height: 5.1, gap: 0.3, head: 2.9 },
  table: { least: 0, height: 2.9, gap: 0, head: 2.9 },
};
// A column that changes with every uplink would make rows jump about; it settles once in a while.
const RESORT_MS = 2_000;

export class Fleet {
  #store;
  #toolbar;
  #window;
  #root = el("div", { class: "fleet", id: "fleet" });
  #columns = el("div", { class: "columns", role: "row", hidden: true });
  #frame = el("div", { class: "frame" }, el("div", { role: "rowgroup", class: "columns-group" }, this.#columns), this.#root);
  #note = el("p", { class: "note", id: "fleet-note", hidden: true });
  #tally = el("p", { class: "found", role: "status" });
  #show = "";
  /** @type {string[]} */
  #sorted = [];
  #sortedBy = "";
  /** What every light was sorted by. @type {Map<string, string | number>} */
  #keys = new Map();
  /** @type {Map<string, string>} */
  #groupOf = new Map();
  /** The lights that match, in the order shown. @type {string[]} */
  shown = [];
  #resortAt = 0;
  /** @type {ReturnType<typeof setTimeout> | null} */
  #resorting = null;
  #opened = "";
  #missed = false;

  /** @param {Store} store @param {{open: (devEui: string) => void, onSelect: (selection: Selection) => void}} tell */
  constructor(store, { open, onSelect }) {
    this.#store = store;
    this.#toolbar = new Toolbar(store);
    this.selection = new Selection((changed) => {
      for (const devEui of changed) this.#item(devEui)?.mark();
      this.#markHeads();
      onSelect(this.selection);
    });
    /** @type {import("./card.js").FleetContext} */
    const context = {
      store,
      open,
      pick: (devEui, on, range) => this.selection.set(devEui, on, this.shown, range),
      picked: (devEui) => this.selection.has(devEui),
      opened: () => this.#opened,
    };
    this.#window = new Window(this.#root, (entry) => {
      if (entry.head) return this.#head(entry.key);
      return this.#show === "table" ? new LightRow(entry.key, context) : new LightCard(entry.key, context);
    });
    this.element = el("div", { class: "fleet-view" }, this.#toolbar.element, this.#tally, this.#note, this.#frame);
  }

  focusSearch() {
    this.#toolbar.focusSearch();
  }

  /** The address changed. */
  recall() {
    const asked = chosen("show");
    const show = SHOWS.find((one) => one === asked) ?? "cards";
    if (show !== this.#show) {
      this.#show = show;
      this.#root.className = `fleet ${show}`;
      this.#dress(show === "table");
      this.#window.measure(MEASURES[show]);
    }
    this.#toolbar.recall();
    this.#showColumns();
    if (this.#missed) this.update({ ...freshBatch(), all: true });
    else this.#arrange();
  }

  /** Something changed while this page was not looked at. @param {Batch} batch */
  missed(batch) {
    this.#missed ||= batch.all || batch.devices.size > 0 || batch.gateways.size > 0;
  }

  /** @param {Batch} batch */
  update(batch) {
    if (batch.devices.size === 0 && batch.gateways.size === 0 && !batch.all) return;
    this.#missed = false;
    this.#toolbar.counts();
    if (batch.all) this.#sortedBy = "";
    if (batch.all || batch.gone.length > 0) this.selection.keepOnly(this.#store.devices);
    if (batch.all || this.#moved(batch)) {
      if (batch.all || batch.gateways.size > 0) this.#toolbar.offer();
      this.#arrange();
    }
    if (batch.all) this.#refresh(() => true);
    else {
      for (const devEui of batch.devices) this.#item(devEui)?.update();
      if (batch.gateways.size > 0) this.#refresh((device) => device.gateways.some((id) => batch.gateways.has(id)));
    }
  }

  /** The light whose details are open, or "". @param {string} devEui */
  mark(devEui) {
    const before = this.#opened;
    this.#opened = devEui;
    this.#item(before)?.mark();
    this.#item(devEui)?.mark();
  }

  /** @param {string} devEui */
  focus(devEui) {
    if (this.#groupOf.has(devEui)) this.#window.focus(devEui);
  }

  /** @param {string} devEui */
  #item(devEui) {
    return /** @type {LightCard | LightRow | undefined} */ (this.#window.item(devEui));
  }

  /** @param {(device: import("../base/wire.js").Device) => boolean} concerned */
  #refresh(concerned) {
    for (const [key, item] of this.#window.items) {
      const device = this.#store.devices.get(key);
      if (device !== undefined && concerned(device)) item.update();
    }
  }

  /** Whether lights came, or changed what their place depends on. @param {Batch} batch */
  #moved(batch) {
    const { devices } = this.#store;
    const key = sortKey(chosen("sort").replace(/^-/, "") || "name", this.#store);
    const matches = this.#matcher();
    const by = chosen("group");
    let moved = false;
    for (const devEui of batch.devices) {
      const device = devices.get(devEui);
      if (device === undefined) {
        this.#keys.delete(devEui);
        this.#sortedBy = "";
        moved = true; // it is gone
        continue;
      }
      const before = this.#keys.get(devEui);
      if (before === undefined) {
        this.#sortedBy = "";
        return true;
      }
      if (before !== key(device)) {
        if (performance.now() > this.#resortAt) {
          this.#sortedBy = "";
          moved = true;
        } else this.#resortLater();
      }
      const group = matches(device) ? (grouped([devEui], by, this.#store)[0]?.key ?? "") : null;
      if (group !== (this.#groupOf.get(devEui) ?? null)) moved = true;
    }
    return moved;
  }

  /** What changed too soon after the last sorting gets its place then: nothing else may change for hours. */
  #resortLater() {
    this.#resorting ??= setTimeout(() => {
      this.#resorting = null;
      this.#sortedBy = "";
      if (this.element.offsetParent === null) this.#missed = true;
      else this.#arrange();
    }, this.#resortAt - performance.now() + 1);
  }

  #matcher() {
    return matcher(choice(), this.#store);
  }

  #arrange() {
    const { devices } = this.#store;
    const sort = chosen("sort") || "name";
    if (this.#sortedBy !== sort) {
      this.#sorted = sorted(sort, this.#store);
      this.#sortedBy = sort;
      this.#resortAt = performance.now() + RESORT_MS;
      const key = sortKey(sort.replace(/^-/, ""), this.#store);
      this.#keys = new Map([...devices.values()].map((device) => [device.dev_eui, key(device)]));
    }
    this.#root.classList.toggle("by-risk", sort.endsWith("risk"));
    const matches = this.#matcher();
    const found = this.#sorted.filter((devEui) => {
      const device = devices.get(devEui);
      return device !== undefined && matches(device);
    });
    const by = chosen("group");
    this.#groups = grouped(found, by, this.#store);
    this.#groupOf = new Map(this.#groups.flatMap((group) => group.lights.map((devEui) => [devEui, group.key])));
    this.shown = this.#groups.flatMap((group) => group.lights);
    this.#window.show(this.#groups.flatMap((group) => [
      ...(by ? [{ key: `head ${group.key}`, head: true }] : []),
      ...group.lights.map((devEui) => ({ key: devEui, head: false })),
    ]));
    this.#markHeads();
    this.#tell(found.length);
  }

  /** @type {import("./filter.js").Group[]} */
  #groups = [];

  /** The line above a group, which chooses all of it. @param {string} key */
  #head(key) {
    const title = el("h2");
    const tally = el("span", { class: "tally" });
    const box = el("input", { type: "checkbox", class: "pick" });
    const find = () => this.#groups.find((group) => `head ${group.key}` === key);
    box.addEventListener("click", () => this.selection.setAll(find()?.lights ?? [], box.checked));
    const line = el("div", { class: "line" }, el("label", { class: "pick-area", "data-needs": "POST /api/v1/rollouts" }, box), title, tally);
    const table = this.#show === "table";
    const element = el("div", { class: "group-head", role: table ? "row" : "listitem" }, table ? el("div", { role: "cell" }, line) : line);
    const update = () => {
      const group = find();
      if (group === undefined) return;
      setText(title, group.title);
      setText(tally, this.#tallied(group));
      setAttribute(box, "aria-label", t("fleet.select-group", { group: group.title }));
      const chosenOnes = group.lights.filter((devEui) => this.selection.has(devEui)).length;
      box.checked = chosenOnes > 0 && chosenOnes === group.lights.length;
      box.indeterminate = chosenOnes > 0 && chosenOnes < group.lights.length;
    };
    return { element, update };
  }

  /** A light is in one group only: in that of the gateway that heard it last. The page of the gateways
   *  counts all that each hears, so that number is told, too. @param {import("./filter.js").Group} group */
  #tallied(group) {
    const count = t("count.lights", { n: group.lights.length });
    if (chosen("group") !== "gateway" || !group.key) return count;
    let heard = 0;
    for (const device of this.#store.devices.values()) if (device.gateways.includes(group.key)) heard += 1;
    return heard === group.lights.length ? count : t("group.heard-last", { n: group.lights.length, heard });
  }

  #markHeads() {
    if (chosen("group")) for (const [key, item] of this.#window.items) if (key.startsWith("head ")) item.update();
  }

  /** @param {boolean} table */
  #dress(table) {
    setHidden(this.#columns, !table);
    setAttribute(this.#frame, "role", table ? "table" : null);
    setAttribute(this.#frame, "aria-label", table ? t("fleet.lights") : null);
    setAttribute(this.#root, "role", table ? "rowgroup" : "list");
    setAttribute(this.#root, "aria-label", table ? null : t("fleet.lights"));
    if (this.#columns.parentElement !== null) setAttribute(this.#columns.parentElement, "role", table ? "rowgroup" : "presentation");
    this.#frame.classList.toggle("as-table", table);
  }

  #showColumns() {
    if (this.#show !== "table") return;
    const sort = chosen("sort") || "name";
    const heads = COLUMNS.map(([key, words]) => {
      const state = sort === key ? "ascending" : sort === `-${key}` ? "descending" : null;
      const next = state === "ascending" ? `-${key}` : key === "name" ? "" : key;
      const title = key === "risk" ? t("column.risk-means") : null;
      const button = el("button", { type: "button", class: "link", title, onclick: () => choose({ sort: next }) }, words, state === null ? null : icon(state));
      return el("div", { class: `cell ${key}`, role: "columnheader", "aria-sort": state ?? "none" }, button);
    });
    const focused = [...this.#columns.children].indexOf(/** @type {Element} */ (document.activeElement?.parentElement));
    this.#columns.replaceChildren(el("div", { class: "cell box", role: "columnheader" }, el("span", { class: "unseen", text: t("column.selected") })), ...heads);
    if (focused > 0) /** @type {HTMLElement} */ (this.#columns.children[focused].firstElementChild).focus();
  }

  /** @param {number} found */
  #tell(found) {
    const { size } = this.#store.devices;
    setAttribute(this.#frame, "aria-rowcount", this.#show === "table" ? String(found + 1) : null);
    setHidden(this.#note, found > 0 || !this.#store.known);
    setText(this.#note, size === 0 ? t("fleet.none-known") : t("fleet.none-matches"));
    setHidden(this.#tally, found === size || found === 0);
    setText(this.#tally, t("fleet.found", { found, n: size }));
  }

  /** The names of some lights, for a sentence. @param {string[]} some */
  names(some) {
    return some.map((devEui) => {
      const device = this.#store.devices.get(devEui);
      return device === undefined ? devEui : nameOf(device);
    });
  }
}
