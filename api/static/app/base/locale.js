// Which language the page speaks, and how it writes numbers and dates. Everything is the browser's own Intl.
// The rule it keeps: language and region come from one place, and no page names a locale itself.

/** Every language that has a whole catalogue, by its own name. */
export const LANGUAGES = /** @type {const} */ ({ en: "English", de: "Deutsch" });
/** @typedef {keyof typeof LANGUAGES} Language */

// As the colour scheme: for every service of this origin, since it is the reader's.
const CHOICE = "lamplighter.language";

/** @param {string | null} tag as `de-CH` @returns {Language | null} */
function languageOf(tag) {
  const language = (tag ?? "").toLowerCase().split("-")[0];
  return language in LANGUAGES ? /** @type {Language} */ (language) : null;
}

/** What was chosen here, or "" where the browser decides. @returns {Language | ""} */
export function chosenLanguage() {
  return languageOf(localStorage.getItem(CHOICE)) ?? "";
}

/** Speak this language from now on, or the browser's ("" takes the choice back). The page loads again.
 *  @param {string} choice */
export function chooseLanguage(choice) {
  if (choice) localStorage.setItem(CHOICE, choice);
  else localStorage.removeItem(CHOICE);
  location.reload();
}

/** The language of this page: the chosen one, else the first of the browser's that has a catalogue, else English. */
export const language = chosenLanguage() || (navigator.languages.map(languageOf).find((one) => one !== null) ?? "en");

/** With the reader's region where the browser tells one for this language: `de-CH` writes 1’000. */
export const locale = navigator.languages.find((tag) => languageOf(tag) === language) ?? language;

document.documentElement.lang = language;

const plurals = new Intl.PluralRules(language);
const lists = new Intl.ListFormat(locale, { type: "conjunction" });
const choices = new Intl.ListFormat(locale, { type: "disjunction" });
const collator = new Intl.Collator(locale, { numeric: true });
/** @type {Map<number | undefined, Intl.NumberFormat>} */
const formats = new Map();

/** Which form of a plural this many takes: `one`, `other`, ... @param {number} count */
export function pluralOf(count) {
  return plurals.select(count);
}

/** `1,234` or `1.234`; with `digits` exactly so many after the point. @param {number} value @param {number} [digits] */
export function number(value, digits) {
  let format = formats.get(digits);
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, digits === undefined ? { maximumFractionDigits: 3 } : { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  return format.format(value);
}

/** `a, b, and c`. @param {string[]} words */
export function allOf(words) {
  return lists.format(words);
}

/** `a, b, or c`. @param {string[]} words */
export function oneOf(words) {
  return choices.format(words);
}

/** The order of names as people sort them: "Line 2" before "Line 10". @param {string} one @param {string} other */
export function compare(one, other) {
  return collator.compare(one, other);
}
