// All lights as cards, found by name and state. The rule it keeps: a change touches the cards of the
// lights that changed; as many cards are on the page as were scrolled to, however large the fleet.

import { arrange, setHidden, setText } from "./dom.js";
import { LightCard } from "./light.js";

// A wall screen shows about 200 lamps; the rest comes as one scrolls.
const CARDS_AT_ONCE = 240;
const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export class Fleet {
  #store;
  #list;
  #note;
  #onOpen;
  #cards = new Map();
  #sorted = null; // DevEUIs by name; null when it must be sorted anew
  #names = new Map();
  #matching = new Set();
  #most = CARDS_AT_ONCE;
  #open = null;
  search = "";
  state = "";

  constructor(store, { list, note, more, onOpen }) {
    this.#store = store;
    this.#list = list;
    this.#note = note;
    this.#onOpen = onOpen;
    new IntersectionObserver(
      ([seen]) => {
        if (!seen.isIntersecting || this.#matching.size <= this.#most) return;
        this.#most += CARDS_AT_ONCE;
        this.render();
      },
      { rootMargin: "600px" },
    ).observe(more);
  }

  /** What is looked for changed: show from the top. */
  find(search, state) {
    this.search = search;
    this.state = state;
    this.#most = CARDS_AT_ONCE;
    this.render();
  }

  update(batch) {
    if (batch.all) return this.render();
    let moved = false;
    for (const devEui of batch.devices) {
      const device = this.#store.devices.get(devEui);
      if (device.name !== this.#names.get(devEui)) this.#sorted = null;
      moved ||= this.#sorted === null || this.#matches(device) !== this.#matching.has(devEui);
      if (!moved) this.#cards.get(devEui)?.update(device, this.#store);
    }
    if (moved) return this.render();
    // The sentences name gateways.
    if (batch.gateways.size > 0) this.#refresh((device) => device.gateways.some((id) => batch.gateways.has(id)));
  }

  /** The light whose details are open, or null. */
  mark(devEui) {
    if (this.#open !== null) this.#cards.get(this.#open)?.mark(false);
    this.#open = devEui;
    if (devEui !== null) this.#cards.get(devEui)?.mark(true);
  }

  focus(devEui) {
    this.#cards.get(devEui)?.focus();
  }

  render() {
    this.#sort();
    const { devices } = this.#store;
    const found = this.#sorted.filter((devEui) => this.#matches(devices.get(devEui)));
    this.#matching = new Set(found);
    const shown = found.slice(0, this.#most);
    arrange(this.#list, shown.map((devEui) => this.#card(devEui).element));
    const kept = new Set(shown);
    for (const devEui of this.#cards.keys()) if (!kept.has(devEui)) this.#cards.delete(devEui);
    this.#refresh(() => true);
    this.#tell(found.length);
  }

  #refresh(concerned) {
    for (const [devEui, card] of this.#cards) {
      const device = this.#store.devices.get(devEui);
      if (device !== undefined && concerned(device)) card.update(device, this.#store);
    }
  }

  #card(devEui) {
    let card = this.#cards.get(devEui);
    if (card === undefined) {
      card = new LightCard(devEui, this.#onOpen);
      card.mark(devEui === this.#open);
      this.#cards.set(devEui, card);
    }
    return card;
  }

  #sort() {
    const { devices } = this.#store;
    if (this.#sorted !== null && this.#sorted.length === devices.size && this.#sorted.every((id) => devices.has(id))) return;
    this.#names = new Map([...devices.values()].map((device) => [device.dev_eui, device.name]));
    const key = (devEui) => this.#names.get(devEui) || devEui;
    this.#sorted = [...devices.keys()].sort((a, b) => order.compare(key(a), key(b)) || (a < b ? -1 : 1));
  }

  #matches(device) {
    if (this.state && this.#store.kind(device.dev_eui) !== this.state) return false;
    const search = this.search.toLowerCase();
    return !search || device.dev_eui.includes(search) || device.name.toLowerCase().includes(search);
  }

  #tell(found) {
    setHidden(this.#note, found > 0 || !this.#store.known);
    if (this.#store.devices.size === 0) setText(this.#note, "No light is known yet. A light appears with its first uplink.");
    else setText(this.#note, "No light matches.");
  }
}
