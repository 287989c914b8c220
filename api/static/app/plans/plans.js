// The page of the floor plans: which one, what is on it, and the tools around it. Heads come by the websocket;
// places and picture are asked for when they became others.

import { addressOf, choose, chosen } from "../base/address.js";
import { ask, askFile, isMissing, sendFile, troubleWords } from "../base/api.js";
import { el, setAttribute, setHidden, setText } from "../base/dom.js";
import { compare } from "../base/locale.js";
import { may, mayNot } from "../base/may.js";
import { t } from "../base/texts.js";
import { PlanForm } from "./form.js";
import { Pictures } from "./pictures.js";
import { Saving } from "./saving.js";
import { Stage } from "./stage.js";
import { UnplacedList } from "./unplaced.js";
import { onWall } from "./wall.js";

/** @typedef {import("../base/wire.js").PlanHead} PlanHead */
/** @typedef {import("./items.js").Item} Item */

const AGAIN_MS = 2_000;
const AGAIN_MOST_MS = 30_000;

export class Plans {
  #store;
  #deeds;
  #form = new PlanForm((planId) => this.#saved(planId));
  #pictures = new Pictures();
  #saving = new Saving(() => this.#read(), (words, bad) => this.#tell(words, bad));
  #stage;
  #unplaced;
  #choice = el("select", { "aria-label": t("plans.choose") });
  #note = el("p", { class: "note", role: "status" });
  #outcome = el("p", { class: "outcome", role: "status" });
  #tools = el("div", { class: "plan-tools", role: "toolbar", "aria-label": t("main.plans") });
  #edit = el("button", { type: "button", class: "plain", "data-needs": "PATCH /api/v1/plans/{plan_id}", "aria-pressed": "false", text: t("plans.edit") });
  #select = el("button", { type: "button", class: "plain", "data-needs": "POST /api/v1/rollouts", "aria-pressed": "false", text: t("plans.select") });
  #settings = el("button", { type: "button", class: "plain", "data-needs": "PUT /api/v1/plans/{plan_id}/picture", text: t("plans.settings") });
  #zoomIn = el("button", { type: "button", class: "plain round", "aria-label": t("plans.zoom-in"), text: "+" });
  #zoomOut = el("button", { type: "button", class: "plain round", "aria-label": t("plans.zoom-out"), text: "−" });
  #fit = el("button", { type: "button", class: "plain", text: t("plans.fit") });
  #export = el("button", { type: "button", class: "plain", text: t("plans.export") });
  #wall = el("a", { class: "plain", text: t("plans.wall") });
  #import = el("input", { type: "file", accept: ".zip,application/zip", hidden: true });
  #body;
  element;
  #open = false;
  /** The plan that is shown, with its places. @type {{id: string, revision: number, digest: string, lights: import("./items.js").Spots, gateways: import("./items.js").Spots} | null} */
  #shown = null;
  #reading = false;
  #tries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {import("../base/store.js").Store} store @param {{open: (devEui: string) => void, selection: import("../fleet/selection.js").Selection, announcer: HTMLElement, onShown: () => void}} deeds */
  constructor(store, deeds) {
    this.#store = store;
    this.#deeds = deeds;
    this.#stage = new Stage(store, {
      open: deeds.open,
      picked: (devEui) => deeds.selection.has(devEui),
      pick: (devEuis, on) => this.#pick(devEuis, on),
      moved: (item, from) => this.#moved(item, from),
      removed: (item) => this.#takenOff(item),
      say: (words) => setText(deeds.announcer, words),
    });
    this.#unplaced = new UnplacedList(store, this.#stage);
    this.#body = el("div", { class: "plan-body", hidden: true }, this.#stage.element, this.#unplaced.element);
    this.element = el("div", { class: "view plans" }, this.#tools, this.#outcome, this.#note, this.#body, this.#form.element);
    this.#equip();
  }

  #equip() {
    const button = (/** @type {string} */ words, /** @type {() => void} */ onclick, /** @type {Record<string, any>} */ more = {}) => el("button", { type: "button", class: "plain", onclick, text: words, ...more });
    this.#choice.addEventListener("change", () => choose({ plan: this.#choice.value }));
    this.#edit.addEventListener("click", () => this.#setEditing(!this.#stage.editing));
    this.#select.addEventListener("click", () => {
      this.#stage.selecting = !this.#stage.selecting;
      setAttribute(this.#select, "aria-pressed", String(this.#stage.selecting));
    });
    this.#zoomIn.addEventListener("click", () => this.#stage.zoom(1));
    this.#zoomOut.addEventListener("click", () => this.#stage.zoom(-1));
    this.#fit.addEventListener("click", () => this.#stage.fit());
    this.#export.addEventListener("click", () => this.#exported());
    this.#settings.addEventListener("click", () => this.#form.ask(this.#head));
    this.#import.addEventListener("change", () => this.#imported());
    this.#tools.append(
      this.#choice,
      this.#zoomIn,
      this.#zoomOut,
      this.#fit,
      this.#select,
      this.#edit,
      el("span", { class: "spring" }),
      this.#settings,
      button(t("plans.add"), () => this.#form.ask(null), { "data-needs": "POST /api/v1/plans" }),
      this.#export,
      button(t("plans.import"), () => this.#import.click(), { "data-needs": "POST /api/v1/plans/import" }),
      this.#import,
      this.#wall,
    );
  }

  /** The lights in sight, for "select all". */
  get inView() {
    return this.#stage.inView;
  }

  /** What the wall calls it. */
  get name() {
    return this.#head?.name ?? "";
  }

  /** @param {boolean} open */
  look(open) {
    this.#open = open;
    clearTimeout(this.#timer);
    if (open) this.#draw();
  }

  /** Other lights are chosen. @param {Iterable<string>} devEuis */
  marked(devEuis) {
    if (this.#open) this.#stage.changed([...devEuis].map((devEui) => `light ${devEui}`));
  }

  /** @param {import("../base/store.js").Batch} batch */
  update(batch) {
    if (!this.#open) return;
    if (batch.all || batch.plans) this.#draw();
    if (batch.all || batch.actors) this.#stage.changed();
    else {
      this.#stage.changed([...batch.devices].map((devEui) => `light ${devEui}`));
      this.#stage.changed([...batch.gateways].map((id) => `gateway ${id}`));
    }
    if (this.#stage.editing && (batch.all || batch.gone.length > 0)) this.#unplaced.draw();
  }

  /** The plans in their order. */
  get #heads() {
    return [...this.#store.plans.values()].sort((a, b) => a.order - b.order || compare(a.name, b.name));
  }

  /** The plan that is chosen: by the address, else the first. @returns {PlanHead | null} */
  get #head() {
    return this.#store.plans.get(chosen("plan")) ?? this.#heads[0] ?? null;
  }

  #draw() {
    const heads = this.#heads;
    const head = this.#head;
    const listed = heads.map((one) => `${one.id} ${one.name}`).join("\n");
    if (this.#choice.dataset.listed !== listed) {
      this.#choice.dataset.listed = listed;
      this.#choice.replaceChildren(...heads.map((one) => el("option", { value: one.id, text: one.name })));
    }
    if (head !== null) this.#choice.value = head.id;
    setHidden(this.#choice, heads.length === 0);
    for (const tool of [this.#zoomIn, this.#zoomOut, this.#fit, this.#edit, this.#select, this.#settings, this.#export, this.#wall]) setHidden(tool, head === null);
    if (head !== null) setAttribute(this.#wall, "href", `${addressOf({ view: "plans", plan: head.id })}&wall`);
    const old = this.#shown === null || this.#shown.id !== head?.id || this.#shown.revision !== head.revision;
    setHidden(this.#body, head === null || this.#shown?.id !== head.id);
    setHidden(this.#note, head !== null && this.#shown?.id === head.id && head.picture !== null);
    if (head === null) setText(this.#note, this.#empty());
    else if (this.#shown?.id !== head.id) setText(this.#note, t("plans.loading"));
    else setText(this.#note, t("plans.no-picture"));
    if (head !== null && old && !this.#saving.busy) this.#read();
    this.#deeds.onShown();
  }

  #empty() {
    if (!this.#store.known) return t("plans.loading");
    if (!this.#store.plansTold) return t("plans.old");
    return mayNot("POST /api/v1/plans") ? t("plans.none-look") : t("plans.none");
  }

  /** Ask for the places, and for a picture that is another; again while that fails. */
  async #read() {
    const head = this.#head;
    if (head === null || this.#reading) return null;
    this.#reading = true;
    clearTimeout(this.#timer);
    try {
      const plan = await ask("GET", `api/v1/plans/${encodeURIComponent(head.id)}`);
      const digest = plan.picture?.digest ?? "";
      const address = digest === "" ? "" : await this.#pictures.get(digest);
      if (this.#head?.id !== plan.id) return null; // another one was chosen meanwhile
      this.#tries = 0;
      const other = this.#shown?.id !== plan.id;
      this.#shown = { id: plan.id, revision: plan.revision, digest, lights: plan.lights, gateways: plan.gateways };
      if (other) this.#stage.letGo();
      setHidden(this.#body, false);
      setHidden(this.#note, digest !== "");
      setText(this.#note, t("plans.no-picture"));
      this.#stage.picture(address);
      this.#stage.show(plan.name, plan.lights, plan.gateways);
      if (this.#stage.editing) this.#unplaced.draw();
      return this.#shown;
    } catch (trouble) {
      if (this.#shown?.id !== head.id) setText(this.#note, isMissing(trouble) ? t("plans.old") : troubleWords(trouble));
      const wait = Math.min(AGAIN_MS * 2 ** this.#tries, AGAIN_MOST_MS);
      this.#tries += 1;
      this.#timer = setTimeout(() => this.#open && this.#draw(), wait);
      return null;
    } finally {
      this.#reading = false;
      const now = this.#head;
      if (this.#open && this.#tries === 0 && now !== null && now.id !== this.#shown?.id) this.#draw();
    }
  }

  // ---------------------------------------------------------------- placing and choosing

  /** @param {boolean} on */
  #setEditing(on) {
    this.#stage.letGo();
    this.#stage.editing = on;
    setAttribute(this.#edit, "aria-pressed", String(on));
    setText(this.#edit, on ? t("plans.done") : t("plans.edit"));
    setHidden(this.#unplaced.element, !on);
    if (on) this.#unplaced.draw();
    this.#tell("", false);
    this.#stage.changed();
  }

  /** @param {string[]} devEuis @param {boolean | null} on null: as they are not */
  #pick(devEuis, on) {
    if (!may("POST /api/v1/rollouts") || onWall()) return;
    this.#deeds.selection.setAll(devEuis, on ?? !devEuis.every((one) => this.#deeds.selection.has(one)));
    this.#stage.changed(devEuis.map((devEui) => `light ${devEui}`));
  }

  /** @param {Item} item @param {{x: number, y: number} | null} from */
  #moved(item, from) {
    this.#save(item, [item.x, item.y], from === null ? undefined : [from.x, from.y]);
    setText(this.#deeds.announcer, t("plans.placed", { name: this.#stage.items.name(item) }));
  }

  /** @param {Item} item */
  #takenOff(item) {
    this.#save(item, null, [item.x, item.y]);
    setText(this.#deeds.announcer, t("plans.taken-off", { name: this.#stage.items.name(item) }));
  }

  /** @param {Item} item @param {[number, number] | null} to @param {[number, number] | undefined} before */
  #save(item, to, before) {
    const shown = this.#shown;
    if (shown === null) return;
    const places = item.type === "light" ? shown.lights : shown.gateways;
    const name = this.#stage.items.name(item);
    if (to === null) delete places[item.id];
    else places[item.id] = to;
    this.#stage.show(this.name, shown.lights, shown.gateways);
    this.#unplaced.draw();
    const known = () => (this.#shown?.id === shown.id ? this.#shown : shown);
    this.#saving.save(shown.id, known, { type: item.type, id: item.id, to, name }, before);
  }

  // ---------------------------------------------------------------- files

  /** @param {string} planId */
  #saved(planId) {
    choose({ plan: planId });
    this.#read();
  }

  async #exported() {
    try {
      const address = URL.createObjectURL(await askFile("api/v1/plans/export"));
      el("a", { href: address, download: "lamplighter-plans.zip" }).click();
      setTimeout(() => URL.revokeObjectURL(address), AGAIN_MOST_MS);
    } catch (trouble) {
      this.#tell(troubleWords(trouble), true);
    }
  }

  async #imported() {
    const file = this.#import.files?.[0];
    if (file === undefined) return;
    this.#import.value = "";
    try {
      const told = await sendFile("POST", "api/v1/plans/import", file);
      this.#tell(t("plans.imported", { n: told.added.length + told.replaced.length }), false);
    } catch (trouble) {
      this.#tell(troubleWords(trouble), true);
    }
  }

  /** @param {string} words @param {boolean} bad */
  #tell(words, bad) {
    this.#outcome.dataset.tone = bad ? "bad" : "";
    setText(this.#outcome, words);
  }
}
