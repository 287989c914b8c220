// What stands beside the light that the pointer or the focus is at: its lamp, its state, and why it is not as wanted,
// in the words of its card.

import { shortTime } from "../base/clock.js";
import { el, icon, setAttribute, setHidden, setIcon, setText } from "../base/dom.js";
import { lamp } from "../base/lamp.js";
import { t } from "../base/texts.js";
import { glows, lightWords, shownWords, stateWords, why } from "../base/words.js";

/** @typedef {import("./items.js").Item} Item */
/** @typedef {import("../base/store.js").Store} Store */

const AWAY_PX = 10;

/** All of it in one line, for who does not see it. @param {Item} item @param {string} name @param {Store} store */
export function itemWords(item, name, store) {
  if (item.type === "gateway") return `${t("plans.gateway", { name })}, ${gatewayWords(item, store)}`;
  const device = store.devices.get(item.id);
  if (device === undefined) return name;
  return [name, stateWords(device, store), shownWords(device), why(device, store, true)].filter(Boolean).join(", ");
}

/** @param {Item} item @param {Store} store */
function gatewayWords(item, store) {
  const gateway = store.gateways.get(item.id);
  if (gateway === undefined || gateway.online) return t("plans.gateway-online");
  return t("plans.gateway-offline", { when: shortTime(gateway.since) });
}

export class Note {
  #store;
  #lamp = lamp(null, { size: "medium", hidden: true });
  #name = el("strong");
  #icon = icon("quiet");
  #word = el("span");
  #shows = el("span", { class: "shows" });
  #why = el("span", { class: "why" });
  #state = el("span", { class: "state" }, el("span", { class: "badge" }, this.#icon), this.#word);
  #socket = el("span", { class: "socket" }, el("span", { class: "ring" }), this.#lamp);
  element = el("div", { class: "plan-note", "aria-hidden": "true", hidden: true }, this.#socket, el("div", { class: "words" }, this.#name, this.#state, this.#shows, this.#why));

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
  }

  hide() {
    setHidden(this.element, true);
  }

  /** @param {Item} item @param {string} name @param {{x: number, y: number}} at @param {{width: number, height: number}} stage @param {number} size of the lamp */
  show(item, name, at, stage, size) {
    const device = item.type === "light" ? this.#store.devices.get(item.id) : undefined;
    setText(this.#name, name);
    setHidden(this.#socket, device === undefined);
    setHidden(this.#state, device === undefined);
    if (device === undefined) {
      setText(this.#shows, gatewayWords(item, this.#store));
      setText(this.#why, "");
    } else {
      const kind = this.#store.kind(item.id);
      setAttribute(this.element, "data-kind", kind);
      setIcon(this.#icon, kind);
      setText(this.#word, stateWords(device, this.#store));
      this.#lamp.light = device.reported;
      this.#lamp.past = !glows(device);
      const differs = device.wanted !== null && device.as_wanted !== true;
      setText(this.#shows, differs ? `${shownWords(device)} → ${lightWords(device.wanted)}` : shownWords(device));
      setText(this.#why, why(device, this.#store, true) ?? "");
    }
    setHidden(this.element, false);
    // Beside it, on the side where there is room.
    const { offsetWidth, offsetHeight } = this.element;
    const away = AWAY_PX + size;
    const x = at.x + away + offsetWidth > stage.width ? at.x - away - offsetWidth : at.x + away;
    const y = Math.min(Math.max(4, at.y - offsetHeight / 2), stage.height - offsetHeight - 4);
    this.element.style.setProperty("translate", `${Math.round(Math.max(4, x))}px ${Math.round(y)}px`);
  }
}
