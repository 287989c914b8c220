// What narrows and arranges the fleet: states, search, filters, grouping, and how lights are shown. It
// shows what the address says, and changes nothing but the address.

import { choose, chosen } from "../base/address.js";
import { el, icon, setAttribute, setHidden, setText } from "../base/dom.js";
import { KINDS } from "../base/store.js";
import { compare } from "../base/locale.js";
import { known as knownText, t } from "../base/texts.js";
import { KIND_MEANINGS, KIND_WORDS, REACH_MEANINGS, REACH_WORDS } from "../base/words.js";
import { matcher, offers } from "./filter.js";

/** @typedef {import("../base/store.js").Store} Store */

export const SHOWS = /** @type {const} */ (["cards", "dense", "table"]);
/** @type {Record<string, string>} */
const SHOW_WORDS = { cards: t("fleet.show.cards"), dense: t("fleet.show.dense"), table: t("fleet.show.table") };
/** What narrows the fleet. */
export const FILTERS = ["q", "state", "reach", "gateway", "app", "tag"];
const TYPING_MS = 120;
/** What lights are sorted by besides their names, in this order. */
const SORTS = /** @type {const} */ (["risk", "state", "heard", "shows", "gateways"]);

/** What the address says. @returns {import("./filter.js").Choice} */
export function choice() {
  return { q: chosen("q"), state: chosen("state"), reach: chosen("reach"), gateway: chosen("gateway"), app: chosen("app"), tag: chosen("tag"), group: "", sort: "" };
}

export class Toolbar {
  #store;
  /** @type {Map<string, {button: HTMLButtonElement, number: HTMLElement}>} */
  #chips = new Map();
  #search = el("input", { id: "search", type: "search", placeholder: t("fleet.find"), "aria-label": t("fleet.find-by"), autocomplete: "off", spellcheck: "false", maxlength: "100" });
  #selects = {
    reach: el("select", { "aria-label": t("fleet.reachability") }),
    gateway: el("select", { "aria-label": t("fleet.gateway") }),
    app: el("select", { "aria-label": t("fleet.application") }),
    tag: el("select", { "aria-label": t("fleet.tag") }),
    group: el("select", { "aria-label": t("fleet.group-by") }),
    sort: el("select", { "aria-label": t("fleet.sort-by") }),
  };
  /** @type {Map<string, HTMLInputElement>} */
  #shows = new Map();
  #clear = el("button", { type: "button", class: "plain", text: t("fleet.clear"), hidden: true });
  #offered = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => choose({ q: this.#search.value.trim() }), TYPING_MS);
    });
    fill(this.#selects.reach, [["", t("fleet.reachability")], ...Object.entries(REACH_WORDS)]);
    for (const option of this.#selects.reach.options) option.title = REACH_MEANINGS[/** @type {import("../base/words.js").Reach} */ (option.value)] ?? "";
    fill(this.#selects.sort, [["", t("sort", { by: t("sort.name") })], ...SORTS.map((sort) => [sort, t("sort", { by: t(`sort.${sort}`) })])]);
    for (const [name, select] of Object.entries(this.#selects)) {
      select.addEventListener("change", () => choose({ [name]: select.value }));
    }
    this.#clear.addEventListener("click", () => choose(Object.fromEntries(FILTERS.map((name) => [name, ""]))));
    this.element = el(
      "div",
      { class: "toolbar" },
      el("div", { class: "counts", role: "group", "aria-label": t("fleet.by-state") }, ...this.#makeChips()),
      el(
        "div",
        { class: "narrow" },
        el("div", { class: "search" }, icon("search"), this.#search),
        this.#selects.reach,
        this.#selects.gateway,
        this.#selects.app,
        this.#selects.tag,
        this.#selects.group,
        this.#selects.sort,
        this.#clear,
        this.#makeShows(),
      ),
    );
  }

  focusSearch() {
    this.#search.focus();
    this.#search.select();
  }

  /** Show what the address says. */
  recall() {
    if (document.activeElement !== this.#search) this.#search.value = chosen("q");
    for (const [name, select] of Object.entries(this.#selects)) this.#set(select, chosen(name));
    for (const [show, input] of this.#shows) input.checked = show === (chosen("show") || "cards");
    setHidden(this.#clear, FILTERS.every((name) => !chosen(name)));
    this.counts();
  }

  /** How many of the lights that the other filters leave are in each state. */
  counts() {
    const counts = this.#counted();
    for (const [kind, { button, number }] of this.#chips) {
      setText(number, String(kind ? counts[kind] : KINDS.reduce((sum, one) => sum + counts[one], 0)));
      setAttribute(button, "aria-pressed", String(chosen("state") === kind));
    }
  }

  /** @returns {Record<string, number>} */
  #counted() {
    if (FILTERS.every((name) => name === "state" || !chosen(name))) return this.#store.counts;
    const matches = matcher({ ...choice(), state: "" }, this.#store);
    const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
    for (const device of this.#store.devices.values()) if (matches(device)) counts[this.#store.kind(device.dev_eui)] += 1;
    return counts;
  }

  /** What there is to choose from; asked for when lights or gateways came or changed their names. */
  offer() {
    const { apps, tags, keys } = offers(this.#store);
    const gateways = [...this.#store.gateways.values()].map((gateway) => [gateway.gateway_id, gateway.name || gateway.gateway_id]);
    gateways.sort((a, b) => compare(a[1], b[1]));
    const offered = JSON.stringify([apps, tags, gateways]);
    if (offered === this.#offered) return;
    this.#offered = offered;
    fill(this.#selects.gateway, [["", t("filter.all-gateways")], ...gateways]);
    fill(this.#selects.app, [["", t("filter.all-applications")], ...apps.map((app) => [app, app])]);
    fill(this.#selects.tag, [["", t("filter.all-tags")], ...tags.map((tag) => [tag, tag.replace("=", ": ")])]);
    fill(this.#selects.group, [["", t("filter.no-groups")], ["state", t("filter.by-state")], ["reach", t("filter.by-reachability")], ["gateway", t("filter.by-gateway")], ["app", t("filter.by-application")], ...keys.map((key) => [`tag:${key}`, t("filter.by-tag", { tag: key })])]);
    setHidden(this.#selects.tag, tags.length === 0);
    setHidden(this.#selects.app, apps.length < 2);
    this.recall();
  }

  /** @param {HTMLSelectElement} select @param {string} value */
  #set(select, value) {
    // Chosen by the address, though not (yet) among what there is.
    if (value && ![...select.options].some((option) => option.value === value)) select.add(new Option(offeredWords(value), value));
    if (select.value !== value) select.value = value;
    select.classList.toggle("chosen", value !== "");
  }

  #makeChips() {
    return ["", ...KINDS].map((kind) => {
      const known = /** @type {import("../base/words.js").Kind} */ (kind);
      const number = el("strong", { text: "0" });
      const button = el(
        "button",
        { type: "button", class: "chip", "data-kind": kind || "all", "aria-pressed": "false", title: kind ? KIND_MEANINGS[known] : t("fleet.all-lights"),
          onclick: () => choose({ state: chosen("state") === kind ? "" : kind }) },
        kind ? el("span", { class: "badge" }, icon(kind)) : null,
        number,
        el("span", { class: "label", text: kind ? KIND_WORDS[known] : t("fleet.lights") }),
      );
      this.#chips.set(kind, { button, number });
      return button;
    });
  }

  #makeShows() {
    const labels = SHOWS.map((show) => {
      const input = el("input", { type: "radio", name: "show", value: show, onchange: () => choose({ show: show === "cards" ? "" : show }) });
      this.#shows.set(show, input);
      return el("label", { title: SHOW_WORDS[show] }, input, el("span", {}, icon(`show-${show}`), el("span", { class: "unseen", text: SHOW_WORDS[show] })));
    });
    return el("div", { class: "segments", role: "radiogroup", "aria-label": t("fleet.show-as") }, ...labels);
  }
}

/** What is chosen by the address alone, as a column that is sorted the other way round. @param {string} value */
function offeredWords(value) {
  const by = knownText(`sort.${value.replace(/^-/, "")}`);
  if (by === undefined) return value;
  return value.startsWith("-") ? t("sort.reversed", { by }) : t("sort", { by });
}

/** @param {HTMLSelectElement} select @param {string[][]} options */
function fill(select, options) {
  select.replaceChildren(...options.map(([value, words]) => new Option(words, value)));
}
