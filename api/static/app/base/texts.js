// Gets the texts of the pages from the catalogue (`app/texts`). A page writes no words of its own: it asks by key,
// and what goes into a text goes in by name. tsc refuses an unknown key, and a value that is missing.

import { DE } from "../texts/de.js";
import { EN } from "../texts/en.js";
import { language, number, pluralOf } from "./locale.js";

/** @typedef {keyof typeof EN} Key */
/** @typedef {{readonly other: string} & {readonly [form in Intl.LDMLPluralRule]?: string}} Plural by `n` */

/** What a translation of a part of the English catalogue must have.
 *  @template T @typedef {{readonly [K in keyof T]: T[K] extends string ? string : Plural}} Translation */

/** The names between braces. @template {string} T
 *  @typedef {T extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesOf<Rest> : never} NamesOf */

/** Every text of an entry. @template E @typedef {E extends string ? E : E extends {readonly other: string} ? E[keyof E] : never} TextsOf */

/** What an entry asks for: its names, and `n` where it has a plural.
 *  @template {Key} K @typedef {NamesOf<Extract<TextsOf<(typeof EN)[K]>, string>> | ((typeof EN)[K] extends string ? never : "n")} ValuesOf */

/** @template {Key} K @template V @typedef {[ValuesOf<K>] extends [never] ? [] : [Record<ValuesOf<K>, V>]} Given */

const TEXTS = /** @type {Record<string, string | Plural>} */ ({ en: EN, de: DE }[language]);
const NAMED = /\{(\w+)\}/;

/** Whether the catalogue has this; for keys that are made of a word of the service. @param {string} key @returns {key is Key} */
export function isKey(key) {
  return Object.hasOwn(TEXTS, key);
}

/** @param {string} key @param {Record<string, unknown>} values */
function pattern(key, values) {
  const entry = TEXTS[key];
  if (typeof entry === "string") return entry;
  return entry[pluralOf(Number(values.n))] ?? entry.other;
}

/** @param {unknown} value */
function written(value) {
  return typeof value === "number" ? number(value) : String(value);
}

/**
 * The text of this key in the language of the page. Numbers are written as the locale does; `n` chooses the plural.
 * @template {Key} K @param {K} key @param {Given<K, string | number>} given @returns {string}
 */
export function t(key, ...given) {
  return fill(key, given[0] ?? {});
}

/** The same for a key that is made of a word of the service: undefined where the catalogue has none.
 *  @param {string} key @param {Record<string, unknown>} [values] */
export function known(key, values = {}) {
  return isKey(key) ? fill(key, values) : undefined;
}

/** @param {string} key @param {Record<string, unknown>} values */
function fill(key, values) {
  return pattern(key, values).replaceAll(/\{(\w+)\}/g, (whole, name) => (name in values ? written(values[name]) : whole));
}

/**
 * The same in parts, for texts that hold elements: `el("p", {}, ...parts("light.heard", { when: timeAgo(at) }))`.
 * @template {Key} K @param {K} key @param {Given<K, Node | string | number>} given @returns {(Node | string)[]}
 */
export function parts(key, ...given) {
  const values = /** @type {Record<string, Node | string | number>} */ (given[0] ?? {});
  return pattern(key, values).split(NAMED).map((part, at) => {
    if (at % 2 === 0) return part;
    const value = values[part];
    return value instanceof Node ? value : written(value);
  });
}

/** Give the elements of a page that name a text (`data-text`, `data-text-label`, `data-text-title`) theirs.
 *  @param {Document} page */
export function translate(page) {
  for (const element of page.querySelectorAll("[data-text], [data-text-label], [data-text-title]")) {
    for (const { name, value } of [...element.attributes]) {
      if (name === "data-text") element.textContent = fill(value, {});
      else if (name === "data-text-label") element.setAttribute("aria-label", fill(value, {}));
      else if (name === "data-text-title") element.setAttribute("title", fill(value, {}));
    }
  }
}
