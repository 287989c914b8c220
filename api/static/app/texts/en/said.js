// Sentences of the service that come without a code, recognised by `base/said.js`.

export const SAID = /** @type {const} */ ({
  "said.attempts_unproven": "{attempts} attempts unproven",
  "within.since": "(since {at})",
  "within.suspect": { one: "({n} frame since {at} and no txack)", other: "({n} frames since {at} and no txack)" },
  "within.unproven": "({frames} frames since {at}, and no status in reply)",
  "within.takes_none": " takes none ",
  "within.is_suspected": " is suspected ",
  "within.and_more": " and {count} more",
});
