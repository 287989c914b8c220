// Says in the language of the page what the service says in English and without a code. Each sentence is one of the
// catalogue (`said.…`, `reason.…`), by which the values in it are known. What the catalogue does not have is shown as
// the service says it: better English than nothing. Pure.

import { EN } from "../texts/en.js";
import { language, number } from "./locale.js";
import { known } from "./texts.js";

/** @typedef {{code: string, pattern: RegExp, names: string[], exact: number}} Sentence */

// What such a value holds may itself be a sentence.
const SENTENCES = new Set(["reason", "rest", "why", "what", "other", "left", "shown"]);
// Names of gateways and lights, with what is told of each between brackets.
const LISTS = new Set(["gateways", "names", "suspects", "told"]);
// In words of others, which may hold anything.
const FREE = new Set(["gateways", "names", "suspects", "told", "text", "error", "instead"]);
const FIGURE = /^-?\d+(?:\.\d+)?$/;
// A page tells the same few dozen over and over.
const KEPT_MOST = 500;

/** @param {string} words */
function literally(words) {
  return words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A text of the catalogue as a pattern for what the service says. @param {string} text */
function patternOf(text) {
  /** @type {string[]} */
  const names = [];
  const source = text.split(/\{(\w+)\}/).map((part, at) => {
    if (at % 2 === 0) return literally(part);
    names.push(part);
    return part === "n" ? "(\\d+)" : "(.+?)";
  }).join("");
  return { source, names };
}

/** How much of a text is no value: the most exact is tried first. @param {string} text */
function exactness(text) {
  return text.replaceAll(/\{\w+\}/g, "").length;
}

/** Every entry below a prefix, the first that matches counts. @param {string} prefix @param {boolean} whole */
function sentences(prefix, whole) {
  return Object.entries(EN).filter(([key]) => key.startsWith(prefix)).flatMap(([key, entry]) =>
    (typeof entry === "string" ? [entry] : Object.values(entry)).map((text) => ({ key, text })),
  ).sort((one, other) => exactness(other.text) - exactness(one.text)).map(({ key, text }) => {
    const { source, names } = patternOf(text);
    return { code: key, names, exact: exactness(text), pattern: new RegExp(whole ? `^${source}$` : source, whole ? "s" : "g") };
  });
}

// A reason came without its code in older versions, and still does inside of other sentences.
const SAID = [...sentences("said.", true), ...sentences("reason.", true).filter(({ code }) => !/^reason\.(other|command_expired|\w+\.(?!bare$).*)$/.test(code))].sort((one, other) => other.exact - one.exact);
const WITHIN = sentences("within.", false);

/** @param {string} text @returns {{code: string, values: Record<string, string>} | null} */
function find(text) {
  for (const { code, pattern, names } of SAID) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const values = Object.fromEntries(names.map((name, at) => [name, found[at + 1]]));
    // A name ends where the next sentence begins.
    if (Object.entries(values).some(([name, value]) => value.includes("; ") && !SENTENCES.has(name) && !FREE.has(name))) continue;
    return { code, values };
  }
  return null;
}

/** @param {string} name @param {string} value */
function translated(name, value) {
  if (SENTENCES.has(name)) return said(value);
  if (FIGURE.test(value)) return number(Number(value), value.split(".")[1]?.length ?? 0);
  if (!LISTS.has(name)) return value;
  let told = value;
  for (const { code, pattern, names } of WITHIN) {
    told = told.replaceAll(pattern, (...found) => known(code, Object.fromEntries(names.map((each, at) => [each, translated(each, String(found[at + 1]))]))) ?? "");
  }
  return told;
}

/** @type {Map<string, string>} */
const kept = new Map();

/** A sentence of the service in the language of the page, without a capital letter or a full stop of ours. @param {string} text @returns {string} */
export function said(text) {
  if (language === "en" || text === "") return text;
  let words = kept.get(text);
  if (words === undefined) {
    words = put(text);
    if (kept.size >= KEPT_MOST) kept.clear();
    kept.set(text, words);
  }
  return words;
}

/** @param {string} text */
function put(text) {
  const found = find(text);
  if (found !== null) return known(found.code, Object.fromEntries(Object.entries(found.values).map(([name, value]) => [name, name === "n" ? Number(value) : translated(name, value)]))) ?? text;
  // Several in one: each for itself.
  const several = text.split("; ");
  return several.length === 1 ? text : several.map(said).join("; ");
}
