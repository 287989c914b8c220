// One order for many lights: how far it is, what holds it, and how to stop it. A button asks; the state
// changes when the service says so; a failure is shown with its light and its reason.

import { addressOf } from "../base/address.js";
import { ask, troubleWords } from "../base/api.js";
import { duration, shortTime } from "../base/clock.js";
import { el, setAttribute, setHidden, setText } from "../base/dom.js";
import { lamp } from "../base/lamp.js";
import { number } from "../base/locale.js";
import { reasonOf } from "../base/reasons.js";
import { known, parts, t } from "../base/texts.js";
import { capital, lightWords } from "../base/words.js";

/** @typedef {import("../base/wire.js").Rollout} Rollout */

const PARTS = /** @type {const} */ (["verified", "open", "failed", "superseded", "withdrawn", "removed", "waiting", "cancelled"]);
/** @type {Record<string, string>} */
const STATE_KINDS = { running: "working", paused: "held", stopped: "failed", cancelled: "quiet", done: "verified" };
const LISTED_MOST = 500;

/** A light of a rollout in words. @param {string} part */
function partWords(part) {
  return known(`part.${part}`) ?? part;
}

export class RolloutCard {
  #id;
  #nameOf;
  #lamp = lamp(null, { size: "medium", hidden: true });
  #title = el("h2");
  #state = el("strong", { class: "health" });
  #words = el("span");
  #reason = el("p", { class: "why", hidden: true });
  #bar = el("div", { class: "progress", role: "progressbar", "aria-valuemin": "0" }, ...PARTS.map((part) => el("span", { class: part })));
  #legend = el("ul", { class: "legend parts" });
  #pause = this.#button(t("rollout.pause"), { state: "paused" });
  #resume = this.#button(t("rollout.resume"), { state: "running" });
  #cancel = this.#button(t("rollout.cancel"), { state: "cancelled" });
  #again = this.#button(t("rollout.again"), {}, "POST", "/again");
  #lights = el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": t("rollout.lights-of") });
  #details = el("details", {}, el("summary", { text: t("rollout.lights") }), this.#lights);
  #outcome = el("p", { class: "outcome", role: "status" });
  #listed = 0;

  /** @param {string} id @param {(devEui: string) => string} nameOf */
  constructor(id, nameOf) {
    this.#id = id;
    this.#nameOf = nameOf;
    this.#details.addEventListener("toggle", () => this.#list());
    this.element = el(
      "li",
      { class: "rollout", "data-rollout": id },
      el("header", { class: "row" }, this.#lamp, el("div", { class: "told" }, this.#title, el("p", { class: "hint" }, this.#state, " ", this.#words)), this.#pause, this.#resume, this.#again, this.#cancel),
      this.#reason,
      this.#bar,
      this.#legend,
      this.#details,
      this.#outcome,
    );
  }

  /** @param {Rollout} rollout */
  update(rollout) {
    this.#lamp.light = rollout.light;
    setAttribute(this.element, "data-kind", STATE_KINDS[rollout.state] ?? "quiet");
    setText(this.#title, rollout.name || t("rollout.title", { n: rollout.total, light: lightWords(rollout.light) }));
    setText(this.#state, known(`rollout.state.${rollout.state}`) ?? rollout.state);
    const how = rollout.ended_at === null ? t("rollout.pace-of", { pace: rollout.pace_per_min, n: rollout.failures_most }) : t("rollout.after", { span: duration(rollout.ended_at - rollout.created_at) });
    setText(this.#words, t("rollout.words", { light: lightWords(rollout.light), at: shortTime(rollout.created_at), how }));
    setHidden(this.#reason, !rollout.reason);
    setText(this.#reason, rollout.reason ? t("sentence", { text: capital(reasonOf(rollout)) }).replace("..", ".") : "");
    const settled = rollout.verified + rollout.failed + rollout.superseded + (rollout.withdrawn ?? 0) + rollout.removed;
    setAttribute(this.#bar, "aria-valuemax", String(rollout.total));
    setAttribute(this.#bar, "aria-valuenow", String(settled));
    setAttribute(this.#bar, "aria-label", t("rollout.progress", { title: this.#title.textContent ?? "" }));
    PARTS.forEach((part, at) => {
      const span = /** @type {HTMLElement} */ (this.#bar.children[at]);
      span.style.setProperty("flex-grow", String(rollout[part] ?? 0));
      setHidden(span, (rollout[part] ?? 0) === 0);
    });
    this.#legend.replaceChildren(...PARTS.filter((part) => (rollout[part] ?? 0) > 0).map((part) => el("li", { class: part }, el("span", { class: "patch" }), ...parts("rollout.part", { n: el("strong", { text: number(rollout[part] ?? 0) }), part: partWords(part) }))));
    setHidden(this.#pause, rollout.partly === true || rollout.state !== "running");
    setHidden(this.#resume, rollout.partly === true || !["paused", "stopped"].includes(rollout.state));
    setHidden(this.#cancel, rollout.partly === true || !["running", "paused", "stopped"].includes(rollout.state));
    const unreached = ["cancelled", "stopped"].includes(rollout.state) ? rollout.cancelled + rollout.waiting : 0;
    setHidden(this.#again, rollout.failed + unreached === 0);
    if (this.#details.open && rollout.changed_at !== this.#listed) this.#list();
    this.#listed = rollout.changed_at;
  }

  /** @param {string} words @param {object} change @param {"PATCH" | "POST"} method @param {string} below */
  #button(words, change, method = "PATCH", below = "") {
    const button = el("button", { type: "button", class: "secondary", text: words, hidden: true, "data-needs": `${method} /api/v1/rollouts/{rollout_id}${below}` });
    button.addEventListener("click", async () => {
      button.disabled = true;
      setText(this.#outcome, "");
      try {
        await ask(method, `api/v1/rollouts/${encodeURIComponent(this.#id)}${below}`, { body: change });
        this.onAsked();
      } catch (trouble) {
        this.#outcome.dataset.tone = "bad";
        setText(this.#outcome, troubleWords(trouble));
      } finally {
        button.disabled = false;
      }
    });
    return button;
  }

  /** Called after the service took a change. */
  onAsked = () => {};

  async #list() {
    if (!this.#details.open) return;
    try {
      /** @type {Rollout} */
      const rollout = await ask("GET", `api/v1/rollouts/${encodeURIComponent(this.#id)}`);
      const order = ["failed", "open", "superseded", "withdrawn", "removed", "waiting", "cancelled", "verified"];
      const listed = (rollout.lights ?? []).toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
      const rows = listed.slice(0, LISTED_MOST).map((light) =>
        el("tr", {}, el("th", { scope: "row" }, el("a", { href: addressOf({ light: light.dev_eui }), text: this.#nameOf(light.dev_eui) })), el("td", { class: light.state }, el("span", { class: "patch" }), partWords(light.state)), el("td", { text: reasonOf(light) })),
      );
      const head = el("tr", {}, ...[t("rollout.light"), t("rollout.state"), t("rollout.why")].map((name) => el("th", { scope: "col", text: name })));
      this.#lights.replaceChildren(
        el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)),
        listed.length > rows.length ? el("p", { class: "hint", text: t("rollout.unlisted", { n: listed.length - rows.length }) }) : "",
      );
    } catch (trouble) {
      this.#lights.replaceChildren(el("p", { class: "bad", text: troubleWords(trouble) }));
    }
  }
}
