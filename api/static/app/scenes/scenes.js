// The page of scenes and schedules. It asks when it is opened, and after whatever was done here; the
// rollouts that apply them are told by the websocket, on their own page.

import { ask, isMissing, troubleWords } from "../base/api.js";
import { arrange, el, setHidden, setText } from "../base/dom.js";
import { may, mayNot } from "../base/may.js";
import { t } from "../base/texts.js";
import { SceneCard } from "./card.js";
import { ApplyForm, SaveForm } from "./forms.js";
import { ScheduleCard, ScheduleForm } from "./schedule.js";

/** @typedef {import("../base/wire.js").Scene} Scene */
/** @typedef {import("../base/wire.js").Schedule} Schedule */

const ASK_EVERY_MS = 30_000; // the next times and the last one change by themselves

export class Scenes {
  #note = el("p", { class: "note", hidden: true });
  #none = el("p", { class: "hint", text: t("scenes.none"), hidden: true });
  #noTimes = el("p", { class: "hint", text: t("schedules.none"), hidden: true });
  #list = el("ul", { class: "rollouts scenes" });
  #times = el("ul", { class: "rollouts schedules" });
  #timed = el("section", { "aria-label": t("schedules.title") }, el("h2", { text: t("schedules.title") }));
  #apply;
  #save;
  #schedule;
  #open = false;
  /** @type {Map<string, SceneCard>} */
  #cards = new Map();
  /** @type {Map<string, ScheduleCard>} */
  #scheduled = new Map();
  element;
  /** Not in the view, for lights are saved from the fleet, too. */
  dialogs;

  /** @param {() => void} onApplied */
  constructor(onApplied) {
    this.#apply = new ApplyForm(onApplied);
    this.#save = new SaveForm(() => this.#ask());
    this.#schedule = new ScheduleForm(() => this.#ask());
    const save = el("button", { type: "button", class: "secondary", text: t("scenes.save-all"), "data-needs": "POST /api/v1/scenes", onclick: () => this.save([]) });
    const plan = el("button", { type: "button", class: "secondary", text: t("schedules.new"), "data-needs": "POST /api/v1/schedules", onclick: () => this.#schedule.ask() });
    this.#timed.append(el("div", { class: "row" }, plan), this.#noTimes, this.#times);
    this.element = el(
      "div",
      { class: "view" },
      this.#note,
      el("section", { "aria-label": t("scenes.title") }, el("h2", { text: t("scenes.title") }), el("div", { class: "row" }, save), this.#none, this.#list),
      this.#timed,
    );
    this.dialogs = [this.#apply.element, this.#save.element, this.#schedule.element];
    setInterval(() => {
      if (this.#open && !document.hidden) this.#ask();
    }, ASK_EVERY_MS);
  }

  /** Save what these lights should show, or show; none means all. @param {string[]} lights */
  save(lights) {
    this.#save.ask(lights);
  }

  /** @param {boolean} open */
  look(open) {
    const came = open && !this.#open;
    this.#open = open;
    if (came) this.#ask();
  }

  /** It is known what the caller may do. */
  allowed() {
    if (this.#open) this.#ask();
  }

  async #ask() {
    try {
      const { scenes } = await ask("GET", "api/v1/scenes");
      this.#drawScenes(scenes);
      setHidden(this.#note, true);
      await this.#askSchedules(scenes);
    } catch (trouble) {
      setHidden(this.#note, false);
      setText(this.#note, isMissing(trouble) ? t("scenes.older") : troubleWords(trouble));
    }
  }

  /** @param {Scene[]} scenes */
  async #askSchedules(scenes) {
    setHidden(this.#timed, mayNot("GET /api/v1/schedules")); // who sees some lights only is told of no schedule
    if (!may("GET /api/v1/schedules")) return;
    const { schedules, time_zone: zone } = await ask("GET", "api/v1/schedules");
    this.#schedule.offer(scenes, zone);
    setHidden(this.#noTimes, schedules.length > 0);
    arrange(this.#times, cardsOf(this.#scheduled, schedules, (/** @type {Schedule} */ one) => new ScheduleCard(one.id, () => this.#ask())));
  }

  /** @param {Scene[]} scenes */
  #drawScenes(scenes) {
    setHidden(this.#none, scenes.length > 0);
    arrange(this.#list, cardsOf(this.#cards, scenes, (/** @type {Scene} */ one) => new SceneCard(one.id, (scene) => this.#apply.ask(scene), () => this.#ask())));
  }
}

/**
 * The elements of what is told, each card kept while its subject is.
 * @template {{id: string}} S @template {{element: HTMLElement, update: (subject: S) => void}} C
 * @param {Map<string, C>} cards @param {S[]} subjects @param {(subject: S) => C} make
 */
function cardsOf(cards, subjects, make) {
  const told = new Set(subjects.map((one) => one.id));
  for (const id of cards.keys()) if (!told.has(id)) cards.delete(id);
  return subjects.map((one) => {
    const card = cards.get(one.id) ?? make(one);
    cards.set(one.id, card);
    card.update(one);
    return card.element;
  });
}
