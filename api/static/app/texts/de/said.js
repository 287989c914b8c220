// German of `en/said.js`.

/** @type {import("../../base/texts.js").Translation<typeof import("../en/said.js").SAID>} */
export const SAID = {
  "said.attempts_unproven": "{attempts} Versuche ohne Nachweis",
  "within.since": "(seit {at})",
  "within.suspect": { one: "({n} Frame seit {at} und kein txack)", other: "({n} Frames seit {at} und kein txack)" },
  "within.unproven": "({frames} Frames seit {at} und kein Status als Antwort)",
  "within.takes_none": " nimmt keine an ",
  "within.is_suspected": " steht im Verdacht ",
  "within.and_more": " und {count} weitere",
};
