// The service's clock as far as this page knows it, and elements that tell times in words.
// A browser whose clock is wrong must not call a light silent; so all ages are by the service's.

import { locale, number } from "./locale.js";
import { t } from "./texts.js";

const TICK_MS = 5_000;
let ahead = 0; // seconds that the service is ahead of this browser

const seconds = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const minutes = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" });
const dayUtc = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", timeZone: "UTC" });

export function now() {
  return Date.now() / 1000 + ahead;
}

/** The service said that it is `at` (Unix seconds). @param {number} at */
export function setNow(at) {
  const before = ahead;
  ahead = at - Date.now() / 1000;
  if (Math.abs(ahead - before) > 2) for (const element of shown) element.tell();
}

/** `just now`, `42 s`, `7 min`, `3 h`, `5 d`: short, for a person. @param {number} seconds */
export function span(seconds) {
  const s = Math.max(0, seconds);
  if (s < 90) return t("time.seconds", { n: Math.round(s) });
  if (s < 5_400) return t("time.minutes", { n: Math.round(s / 60) });
  if (s < 129_600) return t("time.hours", { n: Math.round(s / 3_600) });
  return t("time.days", { n: Math.round(s / 86_400) });
}

/** @param {number} at */
export function ago(at) {
  const seconds = now() - at;
  if (seconds < -5) return t("time.in", { span: span(-seconds) });
  return seconds < 5 ? t("time.now") : t("time.ago", { span: span(seconds) });
}

/** The time of the day in the reader's zone, with the date when it was another day. @param {number} at */
export function clockTime(at) {
  const when = new Date(at * 1000);
  const today = new Date(now() * 1000);
  const time = seconds.format(when);
  if (when.toDateString() === today.toDateString()) return time;
  return `${day.format(when)} ${time}`;
}

/** Hours and minutes, with the day when it was another. @param {number} at */
export function shortTime(at) {
  const when = new Date(at * 1000);
  const time = minutes.format(when);
  if (when.toDateString() === new Date(now() * 1000).toDateString()) return time;
  return `${day.format(when)} ${time}`;
}

/** The day of a figure that the service counts by UTC's days: `Nov 29`. @param {number} at */
export function utcDay(at) {
  return dayUtc.format(new Date(at * 1_000));
}

const NAMED_UTC = /(?:(\d{4})-(\d\d)-(\d\d) )?(\d\d):(\d\d) UTC/g;

/** The service words its times in UTC; a page has one zone. A time without a date is the nearest. @param {string} text */
export function inZone(text) {
  return text.replace(NAMED_UTC, (_, year, month, day, hours, minutes) => {
    if (year !== undefined) return shortTime(Date.UTC(year, month - 1, day, hours, minutes) / 1000);
    const today = new Date(now() * 1000);
    const at = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate(), hours, minutes) / 1000;
    return shortTime(at + Math.round((now() - at) / 86_400) * 86_400);
  });
}

/** The zone that the times of this page are in: `Europe/Berlin, UTC+2`. */
export function zone() {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const ahead = -new Date(now() * 1000).getTimezoneOffset();
  const sign = ahead < 0 ? "-" : "+";
  const [hours, rest] = [Math.floor(Math.abs(ahead) / 60), Math.abs(ahead) % 60];
  const offset = ahead === 0 ? "UTC" : `UTC${sign}${hours}${rest === 0 ? "" : `:${String(rest).padStart(2, "0")}`}`;
  return timeZone === "UTC" || timeZone === undefined ? offset : `${timeZone}, ${offset}`;
}

/** `0.4 s`, `12.5 s`, `3.2 min`, `4.1 h`: a measured duration. @param {number | null} seconds */
export function duration(seconds) {
  if (seconds === null) return "–";
  if (seconds < 100) return t("time.seconds", { n: number(seconds, seconds < 10 ? 1 : 0) });
  if (seconds < 6_000) return t("time.minutes", { n: number(seconds / 60, seconds < 600 ? 1 : 0) });
  return t("time.hours", { n: number(seconds / 3_600, 1) });
}

/** `<time-ago>` keeps its words true while it is on the page. Set `at` (Unix seconds, or null).
 *  With the attribute `for` it tells how long (`7 min`) instead of when (`7 min ago`). */
class TimeAgo extends HTMLElement {
  /** @type {number | null} */
  #at = null;

  /** Unix seconds, or null for never. @param {number | null} at */
  set at(at) {
    if (at === this.#at) return;
    this.#at = at;
    this.title = at === null ? "" : clockTime(at);
    this.tell();
  }

  tell() {
    /** @type {(at: number) => string} */
    const tell = this.hasAttribute("for") ? (at) => span(now() - at) : ago;
    const words = this.#at === null ? t("time.never") : tell(this.#at);
    if (this.textContent !== words) this.textContent = words;
  }

  connectedCallback() {
    shown.add(this);
    this.tell();
  }

  disconnectedCallback() {
    shown.delete(this);
  }
}

/** @type {Set<TimeAgo>} */
const shown = new Set();

setInterval(() => {
  if (!document.hidden) for (const element of shown) element.tell();
}, TICK_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) for (const element of shown) element.tell();
});
customElements.define("time-ago", TimeAgo);

/** @param {number | null} at */
export function timeAgo(at) {
  const element = /** @type {TimeAgo} */ (document.createElement("time-ago"));
  element.at = at;
  return element;
}

/** @param {number | null} at */
export function timeFor(at) {
  const element = timeAgo(at);
  element.setAttribute("for", "");
  element.tell();
  return element;
}
