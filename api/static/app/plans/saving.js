// Saves places one after another, each on the revision that was seen. Of two people who edit one plan nobody's
// work is lost: whoever comes second reads anew, and moves the light only if nobody else has.

import { Trouble, ask, troubleWords } from "../base/api.js";
import { t } from "../base/texts.js";

/** @typedef {{revision: number, lights: import("./items.js").Spots, gateways: import("./items.js").Spots}} Places */
/** @typedef {{type: "light" | "gateway", id: string, to: [number, number] | null, name: string}} Move */

const CHANGED = 412;
const TRIES_MOST = 3;

export class Saving {
  /** @type {Promise<void>} */
  #queue = Promise.resolve();
  #tell;
  #read;
  #waiting = 0;

  /** @param {() => Promise<Places | null>} read the plan anew @param {(words: string, bad: boolean) => void} tell */
  constructor(read, tell) {
    this.#read = read;
    this.#tell = tell;
  }

  /** Whether something is not stored yet. */
  get busy() {
    return this.#waiting > 0;
  }

  /** @param {string} planId @param {() => Places} places as they are known when its turn comes @param {Move} move @param {[number, number] | undefined} before */
  save(planId, places, move, before) {
    this.#waiting += 1;
    this.#tell(t("plans.saving"), false);
    this.#queue = this.#queue.then(async () => {
      try {
        await this.#one(planId, places, move, before);
      } catch (trouble) {
        this.#tell(troubleWords(trouble), true);
        await this.#read();
      } finally {
        this.#waiting -= 1;
      }
    });
    return this.#queue;
  }

  /** @param {string} planId @param {() => Places} places @param {Move} move @param {[number, number] | undefined} before */
  async #one(planId, places, move, before) {
    const kind = move.type === "light" ? "lights" : "gateways";
    for (let tries = 1; ; tries += 1) {
      try {
        const head = await ask("PATCH", `api/v1/plans/${encodeURIComponent(planId)}`, {
          body: { [kind]: { [move.id]: move.to } },
          headers: { "If-Match": `"${places().revision}"` },
        });
        places().revision = head.revision;
        this.#tell(t("plans.saved"), false);
        return;
      } catch (trouble) {
        if (!(trouble instanceof Trouble) || trouble.status !== CHANGED || tries === TRIES_MOST) throw trouble;
      }
      const found = await this.#read();
      if (found === null) return;
      const theirs = found[kind][move.id];
      if (theirs?.[0] !== before?.[0] || theirs?.[1] !== before?.[1]) {
        this.#tell(t("plans.moved-meanwhile", { name: move.name }), true);
        return;
      }
    }
  }
}
