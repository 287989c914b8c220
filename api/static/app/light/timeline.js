// Every command of a light and every step of it, newest command first. A command that is open or was
// looked at stays unfolded; only what changed is written.

import { clockTime, duration, shortTime } from "../base/clock.js";
import { el, setAttribute, setHidden, setText } from "../base/dom.js";
import { lamp } from "../base/lamp.js";
import { reasonOf } from "../base/reasons.js";
import { known, t } from "../base/texts.js";
import { capital, lightWords, stepWords } from "../base/words.js";

/** @typedef {import("../base/wire.js").Command} Command */
/** @typedef {import("../base/store.js").Store} Store */

class Entry {
  #store;
  #lamp = lamp(null, { size: "small", hidden: true });
  #title = el("span", { class: "what" });
  #status = el("span", { class: "hint" });
  #when = el("time", { class: "hint" });
  #steps = el("ol", { class: "timeline" });
  #by = el("p", { class: "hint", hidden: true });
  #slow = el("p", { class: "hint", hidden: true, text: t("order.slow") });
  #told = "";
  element = el("details", { class: "order" }, el("summary", {}, this.#lamp, el("span", { class: "order-words" }, this.#title, this.#status), this.#when), this.#by, this.#slow, this.#steps);

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
  }

  /** @param {Command} command */
  update(command) {
    const told = JSON.stringify(command);
    if (told === this.#told) return;
    this.#told = told;
    this.#lamp.light = command.light;
    setAttribute(this.element, "data-status", command.status);
    setText(this.#title, lightWords(command.light));
    setText(this.#status, ending(command));
    setText(this.#when, shortTime(command.accepted_at));
    setHidden(this.#by, !command.by);
    setText(this.#by, command.by ? t("audit.given-by", { name: command.by }) : "");
    setHidden(this.#slow, !command.heartbeat_only);
    const steps = (command.timeline ?? []).map((step, at, all) => this.#step(step, all[at - 1]));
    if (command.steps_omitted) steps.splice(1, 0, el("li", { class: "hint", text: t("order.omitted", { n: command.steps_omitted }) }));
    this.#steps.replaceChildren(...steps);
  }

  /** @param {import("../base/wire.js").Step} step @param {import("../base/wire.js").Step | undefined} before */
  #step(step, before) {
    const gateway = step.gateway_id === null ? null : this.#store.gatewayName(step.gateway_id);
    const reason = reasonOf(step);
    const words = gateway === null ? reason : reason ? t("order.by-reason", { gateway, reason }) : t("order.by", { gateway });
    const after = before === undefined ? "" : `+${duration(step.at - before.at)}`;
    return el(
      "li",
      { "data-step": step.kind },
      el("span", { class: "what", text: stepWords(step.kind) }),
      el("span", { class: "after", text: after }),
      el("time", { text: clockTime(step.at), datetime: new Date(step.at * 1000).toISOString() }),
      words ? el("span", { class: "hint", text: capital(words) }) : null,
    );
  }
}

/** @param {number} times */
function sentWords(times) {
  if (times === 0) return t("order.never-sent");
  if (times === 1) return t("order.sent-once");
  return times === 2 ? t("order.sent-twice") : t("order.sent-times", { times });
}

/** @param {Command} command */
function ending(command) {
  const sent = sentWords(command.attempts);
  const status = known(`status.${command.status}`) ?? command.status;
  if (command.ended_at === null) return t("order.ending", { status: command.overdue ? t("status.overdue", { status }) : status, sent });
  const span = duration(command.ended_at - command.accepted_at);
  return t("order.ending", { status: t(command.status === "verified" ? "status.in" : "status.after", { status, span }), sent });
}

export class Timeline {
  #store;
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #list = el("div", { class: "orders" });
  #none = el("p", { class: "hint", text: t("order.none") });
  #note = el("p", { class: "hint", hidden: true, text: t("order.older") });
  element = el("div", {}, this.#list, this.#none, this.#note);

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
  }

  /** @param {Command[]} commands newest first @param {boolean} all whether the service told the earlier ones, too */
  show(commands, all) {
    const first = this.#entries.size === 0;
    const elements = commands.map((command, at) => {
      let entry = this.#entries.get(command.id);
      if (entry === undefined) {
        entry = new Entry(this.#store);
        this.#entries.set(command.id, entry);
        entry.element.open = at === 0 || (first && command.ended_at === null);
      }
      entry.update(command);
      return entry.element;
    });
    if (elements.some((element, at) => this.#list.children[at] !== element) || this.#list.children.length !== elements.length) this.#list.replaceChildren(...elements);
    this.#none.hidden = commands.length > 0;
    this.#note.hidden = all;
  }
}
