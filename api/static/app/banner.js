// Says how current and complete the page is. Whenever the page is not live there is a sentence that says
// since when, and what happens next.

import { HOME } from "./base/address.js";
import { token } from "./base/api.js";
import { clockTime, now, span } from "./base/clock.js";
import { byId, setHidden, setText } from "./base/dom.js";
import { percent } from "./base/expected.js";
import { said } from "./base/said.js";
import { t } from "./base/texts.js";
import { sentence } from "./base/words.js";

/** @typedef {import("./base/connection.js").Connection} Connection */
/** @typedef {import("./base/store.js").Store} Store */

const READY_EVERY_MS = 15_000;
// A blink of the connection is not worth a bar across the page.
const PATIENCE_S = 1.5;

/** Sentences one after the other. @param {...string} sentences */
function told(...sentences) {
  return sentences.filter(Boolean).join(" ");
}

export class Banner {
  #connection;
  #store;
  /** @type {string[]} */
  #problems = [];
  #bar = byId("banner");

  /** @param {Connection} connection @param {Store} store */
  constructor(connection, store) {
    this.#connection = connection;
    this.#store = store;
    setInterval(() => this.show(), 1_000);
    setInterval(() => this.#problems.length > 0 && this.askReadiness(), READY_EVERY_MS);
  }

  show() {
    const { state } = this.#connection;
    document.documentElement.dataset.connection = state;
    setText(byId("connection-words"), this.#short());
    byId("connection").title = this.#connection.reason;
    const words = this.#long();
    setHidden(this.#bar, words === "");
    setText(this.#bar, words);
  }

  /** What the service says of itself; its trouble is shown until it is over. */
  async askReadiness() {
    try {
      // 503 while it is not ready; its words are in the answer either way.
      const headers = token() === null ? undefined : { "X-Lamplighter-Token": String(token()) };
      const answer = await fetch(new URL("readyz", HOME), { cache: "no-store", headers });
      const told = await answer.json();
      this.#problems = told.ready === false ? (told.problems?.length > 0 ? told.problems : [t("banner.not-ready-why")]) : [];
    } catch {
      this.#problems = []; // The connection tells what there is to tell.
    }
    this.show();
  }

  #short() {
    const connection = this.#connection;
    switch (connection.state) {
      case "live":
        return t("connection.live");
      case "catching-up":
        return t("connection.catching-up");
      case "stale":
        return t("connection.stale", { span: span(now() - connection.since) });
      case "reconnecting":
        return t("connection.reconnecting", { time: clockTime(connection.since) });
      case "locked":
        return t("connection.locked");
      default:
        return t("connection.connecting");
    }
  }

  #long() {
    const connection = this.#connection;
    const asOf = connection.trueAt === null ? "" : t("banner.as-of", { time: clockTime(connection.trueAt) });
    switch (connection.state) {
      case "reconnecting": {
        if (now() - connection.since < PATIENCE_S && connection.trueAt !== null) return "";
        const wait = Math.max(0, Math.ceil((connection.nextAt ?? 0) - now()));
        const why = connection.reason ? t("sentence", { text: sentence(connection.reason).replace(/\.$/, "") }) : "";
        return told(why, t("banner.none-since", { time: clockTime(connection.since) }), asOf, wait > 0 ? t("banner.again-in", { n: wait }) : t("banner.again-now"));
      }
      case "stale":
        return told(t("banner.silent", { span: span(now() - (connection.trueAt ?? connection.since)) }), asOf);
      case "catching-up":
        if (now() - connection.since < PATIENCE_S) return "";
        return told(t("banner.arrived", { share: percent(this.#store.arrived * 100) }), asOf);
      case "live":
        return this.#problems.length === 0 ? "" : t("banner.not-ready", { problems: this.#problems.map((problem) => said(problem)).join("; ") });
      default:
        return "";
    }
  }
}
