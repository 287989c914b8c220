// The service's clock as far as this page knows it, and elements that tell times in words.
// A browser whose clock is wrong must not call a light silent; so all ages are by the service's.

const TICK_MS = 5_000;
let ahead = 0; // seconds that the service is ahead of this browser

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
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5_400) return `${Math.round(s / 60)} min`;
  if (s < 129_600) return `${Math.round(s / 3_600)} h`;
  return `${Math.round(s / 86_400)} d`;
}

/** @param {number} at */
export function ago(at) {
  const seconds = now() - at;
  if (seconds < -5) return `in ${span(-seconds)}`;
  return seconds < 5 ? "just now" : `${span(seconds)} ago`;
}

/** The time of the day in the reader's zone, with the date when it was another day. @param {number} at */
export function clockTime(at) {
  const when = new Date(at * 1000);
  const today = new Date(now() * 1000);
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  if (when.toDateString() === today.toDateString()) return time;
  return `${when.toLocaleDateString([], { month: "short", day: "numeric" })} ${time}`;
}

/** Hours and minutes, with the day when it was another. @param {number} at */
export function shortTime(at) {
  const when = new Date(at * 1000);
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (when.toDateString() === new Date(now() * 1000).toDateString()) return time;
  return `${when.toLocaleDateString([], { month: "short", day: "numeric" })} ${time}`;
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
  const minutes = -new Date(now() * 1000).getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const offset = minutes === 0 ? "UTC" : `UTC${sign}${hours}${rest === 0 ? "" : `:${String(rest).padStart(2, "0")}`}`;
  return timeZone === "UTC" || timeZone === undefined ? offset : `${timeZone}, ${offset}`;
}

/** `0.4 s`, `12.5 s`, `3.2 min`, `4.1 h`: a measured duration. @param {number | null} seconds */
export function duration(seconds) {
  if (seconds === null) return "–";
  if (seconds < 100) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 6_000) return `${(seconds / 60).toFixed(seconds < 600 ? 1 : 0)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
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
    const words = this.#at === null ? "never" : tell(this.#at);
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
