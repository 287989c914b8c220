// Words for what is to be expected of a light and of a gateway. Pure. A chance is never rounded up to
// certainty, and what is not known is said to be so.

import { number } from "./locale.js";
import { known, t } from "./texts.js";

/** @typedef {import("./wire.js").Device} Device */

/** @param {string} rule */
export function ruleWords(rule) {
  return known(`rule.${rule}`) ?? rule.replaceAll("_", " ");
}

/** What a warning means; "" where there is no more to say than its name. @param {string} rule */
export function ruleMeaning(rule) {
  return known(`rule-means.${rule}`) ?? "";
}

/** @param {string} line */
export function lineWords(line) {
  return known(`line.${line}`) ?? line.replaceAll("_", " ");
}

/** A light's warnings in a word each, or "". @param {Device} device */
export function warnedWords(device) {
  return (device.risk?.warnings ?? []).map((rule, at) => (at === 0 ? ruleWords(rule) : ruleWords(rule).replace(/^./, (first) => first.toLowerCase()))).join(", ");
}

/** What the warnings mean, or "". @param {Device} device */
export function warnedMeaning(device) {
  return (device.risk?.warnings ?? []).map((rule) => ruleMeaning(rule) || ruleWords(rule)).join(". ");
}

/** As precisely as it matters: `97 %`, `99.6 %`, `not known yet`. @param {number | null | undefined} chance */
export function chanceWords(chance) {
  if (chance === null || chance === undefined) return t("chance.unknown");
  if (chance < 0.01) return t("chance.below", { chance: percent(1) });
  if (chance >= 0.9995) return t("chance.above", { chance: percent(99.9, 1) });
  return chance >= 0.99 ? percent(chance * 100, 1) : percent(Math.round(Math.min(chance, 0.98999) * 100));
}

/** `97 %`. @param {number} value of a hundred @param {number} [digits] */
export function percent(value, digits = 0) {
  return t("percent", { value: number(value, digits) });
}

/** A share that is lost, of how many: `8 % of 40`. @param {number | null} loss @param {number} counted */
export function lossWords(loss, counted) {
  return loss === null ? "–" : t("loss", { share: percent(loss * 100), count: Math.round(counted) });
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
