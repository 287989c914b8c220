// Pictures of plans, each asked for once by its digest and kept while it is among the newest few. An <img> cannot
// show a token, so a picture is fetched as any answer is, and shown from memory.

import { askFile } from "../base/api.js";

// 4 MB each: what one looks at, and those one came from.
const KEPT_MOST = 4;

export class Pictures {
  /** @type {Map<string, string>} */
  #addresses = new Map();

  /** The address of a picture in memory. Throws Trouble. @param {string} digest */
  async get(digest) {
    const kept = this.#addresses.get(digest);
    if (kept !== undefined) {
      this.#addresses.delete(digest);
      this.#addresses.set(digest, kept);
      return kept;
    }
    const address = URL.createObjectURL(await askFile(`api/v1/plans/pictures/${digest}`));
    this.#addresses.set(digest, address);
    for (const [oldest, there] of this.#addresses) {
      if (this.#addresses.size <= KEPT_MOST) break;
      this.#addresses.delete(oldest);
      URL.revokeObjectURL(there);
    }
    return address;
  }
}
