// The page of the orders for many lights, newest first. It is told of progress by the websocket; where
// the service does not do that, it asks while one is running and looked at.

import { ask, isMissing, troubleWords } from "../base/api.js";
import { arrange, el, setHidden, setText } from "../base/dom.js";
import { t } from "../base/texts.js";
import { RolloutCard } from "./progress.js";

/** @typedef {import("../base/store.js").Store} Store */

const ASK_EVERY_MS = 2_000;
const TOLD_WITHIN_MS = 10_000;

export class Rollouts {
  #store;
  #note = el("p", { class: "note", hidden: true });
  #list = el("ul", { class: "rollouts" });
  /** @type {Map<string, RolloutCard>} */
  #cards = new Map();
  #open = false;
  #available = true;
  element = el("div", { class: "view" }, this.#note, this.#list);

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
    setInterval(() => {
      const running = [...store.rollouts.values()].some((rollout) => rollout.state === "running");
      const told = store.rolloutsToldAt !== null && performance.now() - store.rolloutsToldAt < TOLD_WITHIN_MS;
      if (this.#open && running && !told && !document.hidden) this.#ask();
    }, ASK_EVERY_MS);
  }

  /** How many are under way. */
  get running() {
    return [...this.#store.rollouts.values()].filter((rollout) => rollout.state === "running").length;
  }

  /** @param {boolean} open */
  look(open) {
    const came = open && !this.#open;
    this.#open = open;
    if (!came) return;
    this.#draw();
    this.#ask();
  }

  /** @param {import("../base/store.js").Batch} batch */
  update(batch) {
    if (this.#open && batch.all) this.#ask(); // a snapshot replaced what was asked for before
    if (this.#open && (batch.all || batch.rollouts.size > 0)) this.#draw();
  }

  async #ask() {
    try {
      const { rollouts } = await ask("GET", "api/v1/rollouts");
      this.#available = true;
      this.#store.putRollouts(rollouts);
      this.#draw();
    } catch (trouble) {
      this.#available = !isMissing(trouble);
      this.#draw();
      if (this.#available) {
        setHidden(this.#note, false);
        setText(this.#note, troubleWords(trouble));
      }
    }
  }

  #draw() {
    const rollouts = [...this.#store.rollouts.values()].sort((a, b) => b.created_at - a.created_at);
    for (const id of this.#cards.keys()) if (!this.#store.rollouts.has(id)) this.#cards.delete(id);
    arrange(this.#list, rollouts.map((rollout) => {
      let card = this.#cards.get(rollout.id);
      if (card === undefined) {
        card = new RolloutCard(rollout.id, (devEui) => this.#store.lightName(devEui));
        card.onAsked = () => this.#ask();
        this.#cards.set(rollout.id, card);
      }
      card.update(rollout);
      return card.element;
    }));
    setHidden(this.#note, rollouts.length > 0);
    setText(this.#note, this.#available ? t("rollout.none") : t("rollout.older"));
  }
}
