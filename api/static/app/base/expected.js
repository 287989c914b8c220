// Words for what is to be expected of a light and of a gateway. Pure. A chance is never rounded up to
// certainty, and what is not known is said to be so.

/** @typedef {import("./wire.js").Device} Device */

/** @type {Record<string, string>} */
const RULE_WORDS = { trend: "Fading", counters: "Losing frames", flapping: "Rejoining", moved: "Moved" };

/** @type {Record<string, string>} */
export const RULE_MEANINGS = {
  trend: "Its margin falls day by day and will soon not be enough",
  counters: "More than half of its statuses are lost",
  flapping: "It joins again and again: its power may come and go",
  moved: "Its signal fell at once and stays so",
};

/** @type {Record<string, string>} */
const LINE_WORDS = {
  away: "Away", taken: "Frames taken", answered: "Answers", lead: "Delay to the air",
  uplinks: "Uplinks heard", noise: "Noise", airtime: "Airtime", alone: "Heard by it alone",
};

/** @param {string} rule */
export function ruleWords(rule) {
  return RULE_WORDS[rule] ?? rule.replaceAll("_", " ");
}

/** @param {string} line */
export function lineWords(line) {
  return LINE_WORDS[line] ?? line.replaceAll("_", " ");
}

/** A light's warnings in a word each, or "". @param {Device} device */
export function warnedWords(device) {
  return (device.risk?.warnings ?? []).map((rule, at) => (at === 0 ? ruleWords(rule) : ruleWords(rule).toLowerCase())).join(", ");
}

/** What the warnings mean, or "". @param {Device} device */
export function warnedMeaning(device) {
  return (device.risk?.warnings ?? []).map((rule) => RULE_MEANINGS[rule] ?? ruleWords(rule)).join(". ");
}

/** As precisely as it matters: `97 %`, `99.6 %`, `not known yet`. @param {number | null | undefined} chance */
export function chanceWords(chance) {
  if (chance === null || chance === undefined) return "not known yet";
  if (chance < 0.01) return "below 1 %";
  if (chance >= 0.9995) return "above 99.9 %";
  return chance >= 0.99 ? `${(chance * 100).toFixed(1)} %` : `${Math.round(Math.min(chance, 0.98999) * 100)} %`;
}

/** A share that is lost, of how many: `8 % of 40`. @param {number | null} loss @param {number} counted */
export function lossWords(loss, counted) {
  return loss === null ? "–" : `${Math.round(loss * 100)} % of ${Math.round(counted)}`;
}

// A light with a lower chance is among the worst, warned of or not: as the service orders risks.
const UNLIKELY = 0.5;

/** For sorting, the worst first: lights that are warned of or unlikely to answer, then the others, each by
 *  chance, unknown ones last. @param {Device} device */
export function riskKey(device) {
  const chance = device.risk?.chance_30s ?? 5;
  const bad = (device.risk?.warnings.length ?? 0) > 0 || chance < UNLIKELY;
  return (bad ? 0 : 10) + chance;
}
