// The details of one light beside the fleet: what it shows and should show, its order step by step,
// a form to give another, and what else is known. The rule it keeps: it asks the service again when
// that light changed, never by the clock, and one question at a time.

import { Trouble, ask } from "./api.js";
import { clockTime, timeAgo } from "./clock.js";
import { CommandForm } from "./command.js";
import { details, hearingsTable } from "./details.js";
import { el, icon, setAttribute, setHidden, setIcon, setText } from "./dom.js";
import { lamp } from "./lamp.js";
import { lightWords, sentence, stateWords, stepWords, why } from "./words.js";

// Changes of one light come in bursts (device, command, device): they are answered with one question.
const GATHER_MS = 250;

export class LightPanel {
  devEui;
  #store;
  #onClose;
  #shown = lamp(null, { size: "large" });
  #wanted = lamp(null, { size: "medium", hidden: true });
  #shows = el("span");
  #heard = timeAgo(null);
  #wants = el("span");
  #title = el("h2", { id: "panel-title", tabindex: "-1" });
  #icon = icon("quiet");
  #word = el("span");
  #why = el("p", { class: "why" });
  #form;
  #timeline = el("ol", { class: "timeline" });
  #timelineTitle = el("h3", { text: "Order" });
  #hearings = el("div");
  #details = el("dl");
  #setup = el("button", { type: "button", class: "secondary", text: "Initialise", title: "Send its settings again" });
  #revive = el("button", { type: "button", class: "secondary", text: "Revive", title: "Start its parked actor again", hidden: true });
  #outcome = el("p", { class: "outcome", role: "status" });
  #asking = false;
  #askAgain = false;
  #timer = null;
  #closed = false;
  #setUp = false;

  constructor(devEui, store, onClose) {
    this.devEui = devEui;
    this.#store = store;
    this.#onClose = onClose;
    const device = store.devices.get(devEui);
    this.#form = new CommandForm(devEui, device?.wanted ?? device?.reported, (command) => this.#showCommand(command));
    this.#setup.addEventListener("click", () => this.#act(`/api/v1/devices/${devEui}/initialize`, { force: this.#setUp }, "Its settings are sent again."));
    this.#revive.addEventListener("click", () => this.#act(`/api/v1/supervisor/${encodeURIComponent(`device ${devEui}`)}/revive`, undefined, "Its actor lives again."));
  }

  /** What stands in the panel. */
  elements() {
    const close = el("button", { type: "button", class: "plain", "aria-label": "Close", onclick: () => this.#onClose() }, icon("close"));
    const now = el("div", { class: "fact" }, this.#shown, el("p", {}, el("strong", { text: "Shows" }), this.#shows, el("span", { class: "hint" }, "heard ", this.#heard)));
    const wanted = el("div", { class: "fact" }, this.#wanted, el("p", {}, el("strong", { text: "Wanted" }), this.#wants));
    return [
      el("header", {}, el("div", {}, this.#title, el("p", { class: "eui", text: this.devEui })), close),
      el("div", { class: "facts" }, now, wanted),
      el("p", { class: "state" }, el("span", { class: "badge" }, this.#icon), this.#word),
      this.#why,
      el("h3", { text: "Set the colour" }),
      this.#form.element,
      this.#timelineTitle,
      this.#timeline,
      el("h3", { text: "Heard by" }),
      this.#hearings,
      el("h3", { text: "Details" }),
      this.#details,
      el("div", { class: "row actions" }, this.#setup, this.#revive),
      this.#outcome,
    ];
  }

  focus() {
    this.#title.focus();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  update(batch) {
    const device = this.#store.devices.get(this.devEui);
    if (device === undefined) return;
    const concerned = batch.all || batch.devices.has(this.devEui) || batch.commands.has(this.devEui);
    if (!concerned && !device.gateways.some((id) => batch.gateways.has(id))) return;
    this.#show(device);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#ask();
    }, GATHER_MS);
  }

  #show(device) {
    setText(this.#title, device.name || device.dev_eui);
    this.#shown.light = device.reported;
    this.#wanted.light = device.wanted;
    setText(this.#shows, lightWords(device.reported));
    this.#heard.at = device.heard_at;
    setText(this.#wants, device.wanted === null ? "nothing" : lightWords(device.wanted));
    const kind = this.#store.kind(this.devEui);
    setAttribute(this.#word.parentElement.parentElement, "data-kind", kind);
    setIcon(this.#icon, kind);
    setText(this.#word, stateWords(device, this.#store));
    const words = why(device, this.#store);
    setHidden(this.#why, words === null);
    setText(this.#why, words ?? "");
  }

  async #ask() {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    try {
      const seen = await ask("GET", `/api/v1/devices/${this.devEui}`);
      const last = this.#store.commands.get(this.devEui)?.id ?? seen.wanted_by;
      const command = seen.command ?? (last === null ? null : await ask("GET", `/api/v1/commands/${encodeURIComponent(last)}`).catch(() => null));
      if (!this.#closed) this.#showSeen(seen, command);
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      this.#tell("bad", trouble.message);
    } finally {
      this.#asking = false;
      if (this.#askAgain && !this.#closed) {
        this.#askAgain = false;
        this.#ask();
      }
    }
  }

  #showSeen(seen, command) {
    this.#setUp = seen.session?.set_up ?? false;
    setHidden(this.#revive, seen.actor?.state !== "crashed");
    this.#hearings.replaceChildren(hearingsTable(seen.hearings, this.#store));
    this.#details.replaceChildren(...details(seen));
    this.#showCommand(command);
  }

  #showCommand(command) {
    setHidden(this.#timelineTitle, command === null);
    if (command === null) return this.#timeline.replaceChildren();
    const state = command.overdue && command.ended_at === null ? `${command.status}, overdue` : command.status;
    setText(this.#timelineTitle, `Order: ${lightWords(command.light)}, ${state}`);
    const steps = command.timeline.map((step) => {
      const words = [
        step.gateway_id === null ? null : this.#store.gatewayName(step.gateway_id),
        step.reason,
      ].filter(Boolean);
      return el(
        "li",
        { "data-step": step.kind },
        el("span", { class: "what", text: stepWords(step.kind) }),
        el("time", { text: clockTime(step.at), datetime: new Date(step.at * 1000).toISOString() }),
        words.length === 0 ? null : el("span", { class: "hint", text: sentence(words.join(": ")) }),
      );
    });
    if (command.steps_omitted > 0) {
      steps.splice(1, 0, el("li", { class: "hint", text: `${command.steps_omitted} steps are not kept` }));
    }
    this.#timeline.replaceChildren(...steps);
  }

  async #act(path, body, done) {
    this.#tell("", "Asking…");
    try {
      await ask("POST", path, { body });
      this.#tell("good", done);
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      this.#tell("bad", trouble.message);
    }
  }

  #tell(tone, words) {
    this.#outcome.dataset.tone = tone;
    setText(this.#outcome, words);
  }
}
