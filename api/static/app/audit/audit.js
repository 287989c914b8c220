// The page of the audit: who did what, newest first, filtered by who, what and on what. It asks while it is
// looked at, when a filter changes and when older ones are wanted.

import { ask, isMissing, troubleWords } from "../base/api.js";
import { clockTime } from "../base/clock.js";
import { el, setHidden, setText } from "../base/dom.js";
import { number } from "../base/locale.js";
import { isKey, known, t } from "../base/texts.js";

/** @typedef {import("../base/wire.js").AuditEntry} AuditEntry */
/** @typedef {import("../base/wire.js").AuditPage} AuditPage */
/** @typedef {import("../base/store.js").Store} Store */

const PAGE = 100;
// What the service can say; one that is newer is shown by its own word.
const ACTS = ["command", "withdraw", "forget_wanted", "ask", "initialize", "flush", "remove", "revive", "rollout", "rollout_change", "rollout_again", "scene_save", "scene_delete", "scene_apply", "schedule_save", "schedule_delete", "plan_save", "plan_delete", "hook_save", "hook_secret", "hook_replay", "hook_test", "hook_delete", "acknowledge", "calibrate", "restored_store", "refused"];

/** @param {string} what */
function words(what) {
  return known(`audit.what.${what}`) ?? what;
}

export class Audit {
  #store;
  #open = false;
  /** @type {AuditEntry[]} */
  #entries = [];
  /** @type {number | null} */
  #next = null;
  #asked = 0;
  #by = el("input", { type: "text", name: "by", autocomplete: "off", placeholder: t("audit.any-by") });
  #on = el("input", { type: "text", name: "on", autocomplete: "off", placeholder: t("audit.any-on") });
  #what = el("select", { name: "what" }, el("option", { value: "", text: t("audit.any") }), ...ACTS.filter((act) => isKey(`audit.what.${act}`)).map((act) => el("option", { value: act, text: words(act) })));
  #state = el("p", { class: "hint", role: "status", text: t("audit.asking") });
  #rows = el("tbody");
  #table = el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": t("audit.title"), hidden: true }, el("table", {}, el("thead", {}, el("tr", {}, ...["audit.when", "audit.by", "audit.what", "audit.on", "audit.more"].map((key) => el("th", { scope: "col", text: known(key) ?? "" })))), this.#rows));
  #older = el("button", { type: "button", class: "plain", hidden: true, text: t("audit.next"), onclick: () => this.#ask(this.#next) });

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
    const field = (/** @type {string} */ text, /** @type {HTMLElement} */ input) => el("label", {}, el("span", { text }), input);
    const form = el("form", { class: "audit-filter row", role: "search", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); this.#ask(null); } }, field(t("audit.by"), this.#by), field(t("audit.what"), this.#what), field(t("audit.on"), this.#on));
    form.addEventListener("change", () => this.#ask(null));
    this.element = el("div", { class: "view audit" }, el("section", { class: "sheet", "aria-labelledby": "audit-title" }, el("h2", { id: "audit-title", text: t("audit.title") }), form, this.#state, this.#table, this.#older));
  }

  /** @param {boolean} open */
  look(open) {
    const came = open && !this.#open;
    this.#open = open;
    if (came) this.#ask(null);
  }

  /** The names of the lights came, perhaps after the entries. @param {import("../base/store.js").Batch} batch */
  update(batch) {
    if (batch.all) this.#rows.replaceChildren(...this.#entries.map((entry) => this.#row(entry)));
  }

  /** @param {number | null} until where the page before ended; null from the newest on */
  async #ask(until) {
    const asked = (this.#asked += 1);
    const query = new URLSearchParams({ limit: String(PAGE) });
    for (const { name, value } of [this.#by, this.#what, this.#on]) if (value.trim()) query.set(name, value.trim());
    if (until !== null) query.set("until", String(until));
    try {
      const page = /** @type {AuditPage} */ (await ask("GET", `api/v1/audit?${query}`));
      if (asked === this.#asked) this.#show(page, until !== null);
    } catch (trouble) {
      if (asked !== this.#asked) return;
      setHidden(this.#table, true);
      setHidden(this.#older, true);
      setText(this.#state, isMissing(trouble) ? t("audit.older") : troubleWords(trouble));
      setHidden(this.#state, false);
    }
  }

  /** @param {AuditPage} page @param {boolean} more */
  #show(page, more) {
    const rows = page.entries.map((entry) => this.#row(entry));
    this.#entries = more ? [...this.#entries, ...page.entries] : page.entries;
    if (more) this.#rows.append(...rows);
    else this.#rows.replaceChildren(...rows);
    this.#next = page.next_until;
    const none = this.#entries.length === 0;
    setText(this.#state, t("audit.none"));
    setHidden(this.#state, !none);
    setHidden(this.#table, none);
    setHidden(this.#older, page.next_until === null);
  }

  /** @param {AuditEntry} entry */
  #row(entry) {
    const light = this.#store.devices.get(entry.on);
    const on = light === undefined ? el("span", { text: entry.on }) : el("a", { href: `./?light=${entry.on}`, text: light.name || entry.on });
    const facts = Object.entries(entry.detail).filter(([, value]) => value !== null && value !== "").map(([name, value]) => `${name.replaceAll("_", " ")}: ${typeof value === "number" ? number(value) : value}`);
    if (entry.peer) facts.push(t("audit.peer", { address: entry.peer }));
    return el("tr", { "data-what": entry.what }, el("td", { class: "when", text: clockTime(entry.at) }), el("td", { text: entry.by || t("audit.nobody") }), el("td", { text: words(entry.what) }), el("td", {}, on), el("td", { class: "hint", text: facts.join(", ") }));
  }
}
