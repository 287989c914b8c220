// One schedule: what it applies, its next times in its own zone, what came of the last; and the dialog that
// makes one.

import { addressOf } from "../base/address.js";
import { ask, troubleWords } from "../base/api.js";
import { el, setAttribute, setHidden, setText } from "../base/dom.js";
import { locale } from "../base/locale.js";
import { known, t } from "../base/texts.js";
import { lightWords } from "../base/words.js";
import { removed } from "./card.js";
import { Dialog, field } from "./forms.js";

/** @typedef {import("../base/wire.js").Schedule} Schedule */
/** @typedef {import("../base/wire.js").Scene} Scene */

/** @param {number} at @param {string} zone */
function inItsZone(at, zone) {
  /** @type {Intl.DateTimeFormatOptions} */
  const how = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  try {
    return new Intl.DateTimeFormat(locale, { ...how, timeZone: zone }).format(at * 1000);
  } catch {
    return new Intl.DateTimeFormat(locale, how).format(at * 1000); // this browser does not know the zone
  }
}

export class ScheduleCard {
  /** @type {Schedule | null} */
  #schedule = null;
  #path;
  #onChanged;
  #title = el("h3");
  #words = el("p", { class: "hint" });
  #last = el("p", { class: "hint" });
  #next = el("ol", { class: "next-times" });
  #switch = el("button", { type: "button", class: "secondary", "data-needs": "PUT /api/v1/schedules/{name}", onclick: () => this.#toggle() });
  #outcome = el("p", { class: "outcome", role: "status" });
  element;

  /** @param {string} id @param {() => void} onChanged */
  constructor(id, onChanged) {
    this.#path = `api/v1/schedules/${encodeURIComponent(id)}`;
    this.#onChanged = onChanged;
    const remove = el("button", { type: "button", class: "secondary", text: t("scenes.remove"), "data-needs": "DELETE /api/v1/schedules/{name}" });
    remove.addEventListener("click", () => removed(remove, this.#path, this.#schedule, this.#outcome, onChanged));
    this.element = el("li", { class: "rollout", "data-schedule": id }, el("header", { class: "row" }, el("div", { class: "told" }, this.#title, this.#words), this.#switch, remove), this.#next, this.#last, this.#outcome);
  }

  /** @param {Schedule} schedule */
  update(schedule) {
    this.#schedule = schedule;
    const { part, last } = schedule;
    setText(this.#title, schedule.name);
    const what = part === null ? t("schedules.scene", { scene: schedule.scene_name ?? "?" }) : lightWords(part.light);
    setText(this.#words, t("schedules.when", { what, cron: schedule.cron, zone: schedule.time_zone }));
    setText(this.#switch, schedule.enabled ? t("schedules.disable") : t("schedules.enable"));
    this.#next.replaceChildren(...schedule.next.map((at) => el("li", {}, el("time", { datetime: new Date(at * 1000).toISOString(), text: inItsZone(at, schedule.time_zone) }))));
    setHidden(this.#next, schedule.next.length === 0);
    setAttribute(this.element, "data-kind", last !== null && last.came !== "applied" ? "failed" : null);
    if (last === null) this.#last.replaceChildren(t("schedules.never"));
    else {
      const came = known(`schedules.came.${last.came}`) ?? last.came;
      const told = t("schedules.last", { came, time: inItsZone(last.due_at, schedule.time_zone) });
      const link = last.rollout_id === null ? "" : el("a", { href: addressOf({ view: "rollouts" }), text: t("schedules.rollout") });
      this.#last.replaceChildren(told, last.reason ? `: ${last.reason}. ` : ". ", link);
    }
  }

  async #toggle() {
    const one = this.#schedule;
    if (one === null) return;
    const body = {
      name: one.name, cron: one.cron, time_zone: one.own_time_zone ? one.time_zone : null, scene: one.scene_id, part: one.part, keep: one.keep,
      pace_per_min: one.pace_per_min, failures_most: one.failures_most, late_most_s: one.late_most_s, enabled: !one.enabled,
    };
    this.#switch.disabled = true;
    setText(this.#outcome, "");
    try {
      await ask("PUT", this.#path, { body, headers: { "If-Match": `"${one.revision}"` } });
    } catch (trouble) {
      this.#outcome.dataset.tone = "bad";
      setText(this.#outcome, troubleWords(trouble));
    } finally {
      this.#switch.disabled = false;
      this.#onChanged();
    }
  }
}

export class ScheduleForm {
  #name = el("input", { type: "text", maxlength: "100", required: true, autocomplete: "off", placeholder: t("schedules.name-example") });
  #scene = el("select", { required: true });
  #cron = el("input", { type: "text", maxlength: "100", required: true, autocomplete: "off", spellcheck: "false", value: "0 18 * * 1-5" });
  #zone = el("input", { type: "text", maxlength: "64", autocomplete: "off", spellcheck: "false" });
  #late = el("input", { type: "number", min: "1", max: "720", value: "60", required: true, inputmode: "numeric" });
  #dialog;

  /** @param {() => void} onSaved */
  constructor(onSaved) {
    this.#dialog = new Dialog(
      "schedule-title",
      el("h2", { text: t("schedules.title-new") }),
      t("scenes.save"),
      async () => {
        const zone = this.#zone.value.trim();
        await ask("POST", "api/v1/schedules", { body: { name: this.#name.value.trim(), scene: this.#scene.value, cron: this.#cron.value, late_most_s: this.#late.valueAsNumber * 60, ...(zone ? { time_zone: zone } : {}) } });
        onSaved();
      },
      el(
        "div",
        { class: "fields" },
        field(t("scenes.name"), this.#name),
        field(t("schedules.applies"), this.#scene),
        field(t("schedules.cron"), this.#cron, t("schedules.cron-hint")),
        field(t("schedules.zone"), this.#zone, t("schedules.zone-hint")),
        field(t("schedules.late"), this.#late, t("schedules.late-hint")),
      ),
    );
    this.element = this.#dialog.element;
  }

  /** @param {Scene[]} scenes @param {string} zone the site's */
  offer(scenes, zone) {
    const before = this.#scene.value;
    this.#scene.replaceChildren(...scenes.map((scene) => el("option", { value: scene.id, text: scene.name })));
    if (before !== "") this.#scene.value = before;
    this.#zone.placeholder = zone;
  }

  ask() {
    this.#name.value = "";
    this.#dialog.open();
  }
}
