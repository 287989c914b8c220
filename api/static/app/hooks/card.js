// One hook: where it posts to, what of, how that goes, its last tries, and what can be done with it.

import { ask, troubleWords } from "../base/api.js";
import { clockTime, timeAgo } from "../base/clock.js";
import { el, setHidden, setText } from "../base/dom.js";
import { allOf, number } from "../base/locale.js";
import { known, parts, t } from "../base/texts.js";
import { removed } from "../scenes/card.js";

/** @typedef {import("../base/wire.js").Hook} Hook */
/** @typedef {import("../base/wire.js").HookTry} HookTry */

export class HookCard {
  /** @type {Hook | null} */
  #hook = null;
  #title = el("h3");
  #url = el("p", { class: "hint url" });
  #what = el("p", { class: "hint" });
  #state = el("p", { class: "why", role: "status" });
  #count = el("p", { class: "hint" });
  #outcome = el("p", { class: "outcome", role: "status" });
  #toggle = el("button", { type: "button", class: "secondary", "data-needs": "PATCH /api/v1/hooks/{name}", onclick: () => this.#change() });
  #test = el("button", { type: "button", class: "secondary", text: t("hooks.test"), "data-needs": "POST /api/v1/hooks/{name}/test", onclick: () => this.#try() });
  #rows = el("tbody");
  #none = el("p", { class: "hint", text: t("hooks.no-tries"), hidden: true });
  #log = el("details", { class: "tries" });
  #path;
  #onChanged;
  element;

  /** @param {string} id @param {(name: string, secret: string) => void} onSecret @param {() => void} onChanged */
  constructor(id, onSecret, onChanged) {
    this.#path = `api/v1/hooks/${encodeURIComponent(id)}`;
    this.#onChanged = onChanged;
    const secret = el("button", { type: "button", class: "secondary", text: t("hooks.new-secret"), "data-needs": "POST /api/v1/hooks/{name}/secret", onclick: () => this.#act(secret, async () => {
      const made = await ask("POST", `${this.#path}/secret`);
      onSecret(made.hook.name, made.secret);
    }) });
    const remove = el("button", { type: "button", class: "secondary", text: t("scenes.remove"), "data-needs": "DELETE /api/v1/hooks/{name}" });
    remove.addEventListener("click", () => removed(remove, this.#path, this.#hook, this.#outcome, onChanged));
    const columns = ["hooks.when", "hooks.event", "hooks.answer", "hooks.took"].map((key) => el("th", { scope: "col", text: known(key) ?? "" }));
    const table = el("div", { class: "wide scrolls", tabindex: "0", role: "group", "aria-label": t("hooks.tries") }, el("table", {}, el("thead", {}, el("tr", {}, ...columns)), this.#rows));
    this.#log.append(el("summary", { text: t("hooks.tries") }), this.#none, table);
    this.#log.addEventListener("toggle", () => this.#ask());
    this.element = el(
      "li",
      { class: "rollout hook", "data-hook": id },
      el("header", { class: "row" }, el("div", { class: "told" }, this.#title, this.#url, this.#what), this.#test, this.#toggle, secret, remove),
      this.#state,
      this.#count,
      this.#outcome,
      this.#log,
    );
  }

  /** @param {Hook} hook */
  update(hook) {
    this.#hook = hook;
    setText(this.#title, hook.name);
    setText(this.#url, hook.url);
    const limits = [...hook.applications, ...hook.tags, ...hook.dev_euis];
    const kinds = allOf(hook.kinds.map((kind) => known(`hooks.kind.${kind}`) ?? kind));
    setText(this.#what, limits.length === 0 ? kinds : t("hooks.of", { kinds, lights: allOf(limits) }));
    const [kind, words] = stateOf(hook);
    this.element.dataset.kind = kind;
    this.#state.replaceChildren(...words);
    const counted = t("hooks.counted", { delivered: number(hook.delivered), waiting: number(hook.waiting) });
    const given = hook.given_up === 0 ? "" : ` ${t("hooks.given-up", { n: hook.given_up })}`;
    setText(this.#count, counted + given);
    setText(this.#toggle, hook.enabled && hook.stopped === null ? t("hooks.pause") : t("hooks.go-on"));
    if (this.#log.open) this.#ask();
  }

  /** @param {HTMLButtonElement} button @param {() => Promise<void>} act */
  async #act(button, act) {
    button.disabled = true;
    this.#tell("", "");
    try {
      await act();
    } catch (trouble) {
      this.#tell("bad", troubleWords(trouble));
    } finally {
      button.disabled = false;
      this.#onChanged();
    }
  }

  #change() {
    const hook = this.#hook;
    if (hook === null) return;
    const enabled = !(hook.enabled && hook.stopped === null);
    this.#act(this.#toggle, () => ask("PATCH", this.#path, { body: { enabled }, headers: { "If-Match": `"${hook.revision}"` } }));
  }

  #try() {
    this.#act(this.#test, async () => {
      /** @type {HookTry} */
      const line = await ask("POST", `${this.#path}/test`);
      this.#tell(line.error === null ? "good" : "bad", line.error === null ? t("hooks.tested", { status: line.status ?? "" }) : t("hooks.not-taken", { why: line.error }));
    });
  }

  async #ask() {
    if (!this.#log.open) return;
    try {
      /** @type {{deliveries: HookTry[]}} */
      const { deliveries } = await ask("GET", `${this.#path}/deliveries`);
      setHidden(this.#none, deliveries.length > 0);
      this.#rows.replaceChildren(...deliveries.map(row));
    } catch (trouble) {
      this.#tell("bad", troubleWords(trouble));
    }
  }

  /** @param {string} tone @param {string} words */
  #tell(tone, words) {
    this.#outcome.dataset.tone = tone;
    setText(this.#outcome, words);
  }
}

/** How it goes: a kind for its colour, and words. @param {Hook} hook @returns {[string, (Node | string)[]]} */
function stateOf(hook) {
  if (hook.stopped !== null) return ["failed", parts(hook.stopped.kind === "gone" ? "hooks.gone" : "hooks.dead", { when: timeAgo(hook.stopped.at) })];
  if (!hook.enabled) return ["held", [t("hooks.paused")]];
  if (hook.failing_since !== null) return ["failed", parts("hooks.failing", { when: timeAgo(hook.failing_since) })];
  return ["idle", hook.last_ok_at === null ? [t("hooks.nothing-yet")] : parts("hooks.delivers", { when: timeAgo(hook.last_ok_at) })];
}

/** @param {HookTry} line */
function row(line) {
  const answer = line.error === null ? `${line.status}` : [line.error, line.answer].filter((part) => part !== "").join(": ");
  const event = el("td", {}, el("span", { text: line.type }), el("span", { class: "hint", text: ` ${line.event_id}` }));
  return el("tr", {}, el("td", { text: clockTime(line.at) }), event, el("td", { text: answer }), el("td", { text: t("hooks.ms", { n: number(line.took_s * 1000, 0) }) }));
}
