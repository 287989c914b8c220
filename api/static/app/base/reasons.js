// Says why something is so by the code that the service gives beside its sentence, in the language of the page and
// with times in its zone. A sentence without a code, or with one that this page does not know, is said as it came.

import { clockTime, inZone, shortTime } from "./clock.js";
import { said } from "./said.js";
import { isKey, known } from "./texts.js";

/** @typedef {import("./wire.js").Values} Values */
/** @typedef {import("./wire.js").Value} Value */
/** @typedef {{reason: string | null, reason_code?: string | null, reason_values?: Values | null}} Coded */

const MINUTES = new Set(["since", "until", "copied_at"]);

/** @param {string} key @param {string} name @param {Value} value */
function written(key, name, value) {
  if (typeof value === "number") return name === "at" ? clockTime(value) : MINUTES.has(name) ? shortTime(value) : value;
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return byCode(value.code, value.values) ?? "";
  return value.map((one) => {
    if (typeof one === "string") return one;
    const since = one.since === undefined ? "" : shortTime(one.since);
    return known(`${key}.${name}`, { name: one.name, since, n: one.frames ?? 0 }) ?? one.name;
  }).join(known(`${key}.${name}.between`) ?? ", ");
}

/** @param {string} code @param {Values} values @returns {string | undefined} */
function byCode(code, values) {
  const key = `reason.${code}`;
  const empty = Object.values(values).some((value) => value === "" || (Array.isArray(value) && value.length === 0));
  // A number of lights chooses the plural.
  const words = Object.fromEntries([...Object.entries(values).map(([name, value]) => [name, written(key, name, value)]), ["n", values.lights]]);
  return known(empty && isKey(`${key}.bare`) ? `${key}.bare` : key, words);
}

/** Without a capital letter or a full stop of ours; empty where there is no reason.
 *  @param {string | null} text @param {string | null} [code] @param {Values | null} [values] */
export function reasonWords(text, code, values) {
  return (code ? byCode(code, values ?? {}) : undefined) ?? inZone(said(text ?? ""));
}

/** Of a step, an order, an attempt. @param {Coded} told */
export function reasonOf(told) {
  return reasonWords(told.reason, told.reason_code, told.reason_values);
}
