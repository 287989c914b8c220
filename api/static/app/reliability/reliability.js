// The page that tells how reliable all of it is: figures, alerts, dead letters, the tree of actors. It
// asks while it is looked at, at once when something happened, else every 15 s.

import { chosen, choose } from "../base/address.js";
import { ask, isMissing, troubleWords } from "../base/api.js";
import { timeAgo } from "../base/clock.js";
import { el, setText } from "../base/dom.js";
import { may } from "../base/may.js";
import { parts, t } from "../base/texts.js";
import { attemptBars, histogram, tiles, worstTable } from "./figures.js";
import { predictions } from "./predictions.js";
import { tree } from "./tree.js";

/** @typedef {import("../base/store.js").Store} Store */

const EVERY_MS = 15_000;
const GATHER_MS = 400;
/** @type {[string, string][]} */
const SPANS = [["1", t("reliability.hour")], ["24", t("reliability.day")], ["168", t("reliability.week")]];

/** What is of the whole fleet, and told to nobody who may see some lights only. @type {Record<string, string>} */
const NEEDED = { "is-predictions": "GET /api/v1/quality/scores", "is-letters": "GET /api/v1/supervisor", "is-tree": "GET /api/v1/supervisor" };

export class Reliability {
  #store;
  #figures = el("div", { class: "figures" }, el("p", { class: "hint", text: t("asking") }));
  #worst = el("div");
  #predictions = el("div", {}, el("p", { class: "hint", text: t("asking") }));
  #tree = el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": t("reliability.tree") });
  #letters = el("div");
  #outcome = el("p", { class: "outcome", role: "status" });
  /** @type {Map<string, HTMLInputElement>} */
  #spans = new Map();
  #open = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #told = { figures: "", tree: "", scores: "" };

  /** @param {Store} store @param {HTMLElement} alerts */
  constructor(store, alerts) {
    this.#store = store;
    const spans = SPANS.map(([hours, words]) => {
      const input = el("input", { type: "radio", name: "hours", value: hours, onchange: () => choose({ hours: hours === "24" ? "" : hours }) });
      this.#spans.set(hours, input);
      return el("label", {}, input, el("span", { text: words }));
    });
    const card = (/** @type {string} */ id, /** @type {string} */ title, /** @type {Node[]} */ ...inner) => el("section", { class: `sheet ${id}`, "data-needs": NEEDED[id], "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title`, text: title }), ...inner);
    this.element = el(
      "div",
      { class: "view reliability" },
      el(
        "div",
        { class: "column" },
        card("is-figures", t("reliability.commands"), el("div", { class: "segments", role: "radiogroup", "aria-label": t("reliability.over") }, ...spans), this.#figures),
        card("is-worst", t("reliability.worst"), this.#worst),
        card("is-predictions", t("reliability.predictions"), this.#predictions),
        card("is-letters", t("reliability.letters"), this.#letters),
      ),
      el("div", { class: "column" }, card("is-alerts", t("reliability.alerts"), alerts), card("is-tree", t("reliability.actors"), this.#tree, this.#outcome)),
    );
  }

  /** @param {boolean} open */
  look(open) {
    const came = open && !this.#open;
    this.#open = open;
    const hours = chosen("hours") || "24";
    const input = this.#spans.get(hours);
    if (open && input !== undefined && (came || !input.checked)) {
      input.checked = true;
      this.#ask();
    } else if (came) this.#ask();
  }

  /** @param {import("../base/store.js").Batch} batch */
  update(batch) {
    if (batch.all) this.#told.tree = ""; // names may have come
    if (this.#open && (batch.actors || batch.all || batch.alerts || batch.commands.size > 0)) this.#soon(GATHER_MS);
  }

  /** @param {number} ms */
  #soon(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), ms);
  }

  async #ask() {
    if (!this.#open) return;
    clearTimeout(this.#timer);
    await Promise.all([this.#askFigures(), this.#askTree(), this.#askScores()]);
    this.#soon(EVERY_MS);
  }

  async #askFigures() {
    const hours = encodeURIComponent(chosen("hours") || "24");
    try {
      const [figures, spread] = await Promise.all([
        ask("GET", `api/v1/metrics/downlinks?hours=${hours}`),
        ask("GET", `api/v1/metrics/reliability?hours=${hours}`).catch((trouble) => {
          if (isMissing(trouble)) return null;
          throw trouble;
        }),
      ]);
      this.#showFigures(figures, spread);
    } catch (trouble) {
      this.#told.figures = "";
      this.#figures.replaceChildren(el("p", { class: "bad", text: troubleWords(trouble) }));
    }
  }

  /** @param {import("../base/wire.js").Figures} figures @param {import("../base/wire.js").Reliability | null} spread */
  #showFigures(figures, spread) {
    const told = JSON.stringify([figures, spread]);
    if (told === this.#told.figures) return;
    this.#told.figures = told;
    const missing = () => el("p", { class: "hint", text: t("unavailable") });
    const chart = (/** @type {string} */ title, /** @type {Node} */ drawn) => el("figure", {}, el("figcaption", { text: title }), drawn);
    this.#figures.replaceChildren(
      tiles(figures),
      spread === null
        ? missing()
        : el("div", { class: "charts" }, chart(t("reliability.time"), histogram(spread.time_to_verify_s)), chart(t("reliability.attempts"), attemptBars(spread.attempts_per_success))),
    );
    this.#worst.replaceChildren(spread === null ? missing() : worstTable(spread.worst));
  }

  async #askScores() {
    if (!may("GET /api/v1/quality/scores")) return;
    try {
      const scores = await ask("GET", "api/v1/quality/scores");
      const told = JSON.stringify(scores);
      if (told === this.#told.scores) return;
      this.#told.scores = told;
      this.#predictions.replaceChildren(predictions(scores));
    } catch (trouble) {
      this.#told.scores = "";
      const older = isMissing(trouble);
      this.#predictions.replaceChildren(el("p", { class: older ? "hint" : "bad", text: older ? t("unavailable") : troubleWords(trouble) }));
    }
  }

  async #askTree() {
    if (!may("GET /api/v1/supervisor")) return;
    try {
      const answer = await ask("GET", "api/v1/supervisor?children=50&dead_letters=20");
      const told = JSON.stringify(answer);
      if (told === this.#told.tree) return;
      this.#told.tree = told;
      this.#tree.replaceChildren(tree(answer.root, (id) => this.#nameOf(id), (id) => this.#revive(id)));
      this.#letters.replaceChildren(letters(answer.dead_letters, (id) => this.#nameOf(id)));
    } catch (trouble) {
      this.#told.tree = "";
      this.#tree.replaceChildren(el("p", { class: "bad", text: troubleWords(trouble) }));
    }
  }

  /** @param {string} id */
  #nameOf(id) {
    const name = id.startsWith("device ") ? this.#store.devices.get(id.slice(7))?.name : undefined;
    return name ? t("reliability.named", { name, dev_eui: id.slice(7) }) : id;
  }

  /** @param {string} id */
  async #revive(id) {
    try {
      await ask("POST", `api/v1/supervisor/${encodeURIComponent(id)}/revive`);
      setText(this.#outcome, t("reliability.revived", { name: this.#nameOf(id) }));
    } catch (trouble) {
      setText(this.#outcome, troubleWords(trouble));
    }
    this.#soon(GATHER_MS);
  }
}

/** @param {import("../base/wire.js").DeadLetter[]} some @param {(id: string) => string} nameOf */
function letters(some, nameOf) {
  if (some.length === 0) return el("p", { class: "hint", text: t("reliability.no-letters") });
  return el("ul", { class: "letters" }, ...some.map((letter) =>
    el("li", {}, el("details", {}, el("summary", {}, ...parts("reliability.letter", { kind: el("strong", { text: letter.kind }), actor: nameOf(letter.actor_id), when: timeAgo(letter.at) }), el("span", { class: "error", text: letter.error })), el("pre", { class: "raw", text: letter.message }))),
  ));
}
