// German of `en/said.js`.

/** @type {import("../../base/texts.js").Translation<typeof import("../en/said.js").SAID>} */
export const SAID = {
  "said.attempts_unproven": "{attempts} Versuche ohne Nachweis",
  "said.rollout_newer": "ein neuerer Auftrag trat an seine Stelle",
  "said.rollout_newer_before": "ein neuerer Auftrag kam vorher",
  "said.rollout_rejected": "abgelehnt: {reason}",
  "said.rollout_expired": "abgelaufen: {reason}",
  "said.rollout_overdue": "überfällig: nicht rechtzeitig nachgewiesen, wird weiter verfolgt",
  "said.no_reason": "ohne Grund",
  "said.never_proven": "nie nachgewiesen",
  "said.rollout_failures": { one: "{n} Leuchte schlug fehl, höchstens {most} dürfen", other: "{n} Leuchten schlugen fehl, höchstens {most} dürfen" },
  "said.rollout_cancelled": "abgebrochen; vorher gegebene Aufträge laufen weiter",
  "within.since": "(seit {at})",
  "within.suspect": { one: "({n} Frame seit {at} und kein txack)", other: "({n} Frames seit {at} und kein txack)" },
  "within.unproven": "({frames} Frames seit {at} und kein Status als Antwort)",
  "within.takes_none": " nimmt keine an ",
  "within.is_suspected": " steht im Verdacht ",
  "within.and_more": " und {count} weitere",
};
