// Asks the service by HTTP, with the token of this browser session. Every failure becomes a `Trouble`
// with words for a person. The token stands in no URL and no cookie, and is not kept beyond the session:
// a tab holds it in its sessionStorage, and gives it to another tab of the same origin that asks on this
// path's channel (BroadcastChannel). No other origin hears that. A hostile page of this very origin could
// ask, too; such a page can do as it likes with ours anyway, by opening it and acting in it.

import { HOME } from "./address.js";
import { said } from "./said.js";
import { known, t } from "./texts.js";

// Two services may share a host, each below a path of its own.
const TOKEN = `lamplighter.token ${new URL(HOME).pathname}`;
// Another tab in the background answers at once; a page that waits for nobody is not slow.
const BORROW_MS = 250;
const PATIENCE_MS = 20_000; // the service answers everything but a verdict within 12 s
const PART_BYTES = 200_000; // below what the service takes as one body, 256 kB

/** A request that did not succeed; `status` is 0 when the service was not reached. */
export class Trouble extends Error {
  /** @param {number} status @param {string} words @param {number} retryAfter @param {string} type */
  constructor(status, words, retryAfter = 0, type = "") {
    super(words);
    this.status = status;
    this.retryAfter = retryAfter;
    this.type = type;
  }
}

let onLocked = () => {};

/** Who is told when a token is needed. @param {() => void} listener */
export function whenLocked(listener) {
  onLocked = listener;
}

export function token() {
  return sessionStorage.getItem(TOKEN);
}

/** A token that somebody typed; other tabs that wait for one get it, too. @param {string} value */
export function setToken(value) {
  sessionStorage.setItem(TOKEN, value);
  tabs.postMessage({ token: value });
}

const tabs = new BroadcastChannel(TOKEN);
/** @type {((token: string) => void) | null} */
let onBorrowed = null;
tabs.addEventListener("message", ({ data }) => {
  if (data.asks && token() !== null) tabs.postMessage({ token: token() });
  if (typeof data.token === "string") onBorrowed?.(data.token);
});

/** Ask the other tabs for their token; whether one of them had one. They answer within some milliseconds. */
export async function borrowToken() {
  const borrowed = new Promise((done) => (onBorrowed = done));
  tabs.postMessage({ asks: true });
  const found = await Promise.race([borrowed, new Promise((done) => setTimeout(done, BORROW_MS))]);
  onBorrowed = null;
  if (typeof found !== "string") return false;
  sessionStorage.setItem(TOKEN, found);
  return true;
}

/** Told when another tab was given a token, until this one has one. @param {() => void} listener */
export function whenBorrowed(listener) {
  onBorrowed = (found) => {
    onBorrowed = null;
    sessionStorage.setItem(TOKEN, found);
    listener();
  };
}

/**
 * The JSON of an answer (null without a body); `path` is relative to where the service is. Throws Trouble.
 * @param {string} method @param {string} path
 * @param {{body?: unknown, headers?: Record<string, string>}} [options]
 * @returns {Promise<any>}
 */
export async function ask(method, path, { body, headers = {} } = {}) {
  /** @type {Record<string, string>} */
  const sent = { Accept: "application/json", ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  return told(await answerOf(method, path, sent, body === undefined ? undefined : JSON.stringify(body), "no-store"));
}

/** Which release of the service answers. Throws Trouble; empty where something else answers in its place. */
export async function release() {
  return (await answerOf("HEAD", "healthz", {}, undefined, "no-store")).headers.get("Lamplighter-Version") ?? "";
}

/** A file of the service's, which may be kept where the service says so. Throws Trouble. @param {string} path */
export async function askFile(path) {
  return (await answerOf("GET", path, {}, undefined, "default")).blob();
}

/**
 * Send a file, in parts where it is larger than the service takes at once; the JSON of the last answer. `onSent` is
 * told which share of it is there. Throws Trouble.
 * @param {string} method @param {string} path @param {Blob} file @param {(share: number) => void} [onSent]
 * @returns {Promise<any>}
 */
export async function sendFile(method, path, file, onSent = () => {}) {
  const type = { "Content-Type": "application/octet-stream" };
  if (file.size <= PART_BYTES) return told(await answerOf(method, path, type, file, "no-store"));
  const key = newKey();
  let answer = null;
  for (let start = 0; start < file.size; start += PART_BYTES) {
    const part = file.slice(start, start + PART_BYTES);
    const headers = { ...type, "Idempotency-Key": key, "Content-Range": `bytes ${start}-${start + part.size - 1}/${file.size}` };
    answer = await told(await answerOf(method, path, headers, part, "no-store"));
    onSent((start + part.size) / file.size);
  }
  return answer;
}

/** @param {Response} answer */
async function told(answer) {
  return (answer.headers.get("Content-Type") ?? "").includes("json") ? answer.json() : null;
}

/** @param {string} method @param {string} path @param {Record<string, string>} headers @param {BodyInit | undefined} body @param {RequestCache} cache */
async function answerOf(method, path, headers, body, cache) {
  // Not Authorization: a proxy in front may ask for a password of its own in that header.
  const sent = token() === null ? headers : { ...headers, "X-Lamplighter-Token": String(token()) };
  let answer;
  try {
    answer = await fetch(new URL(path, HOME), { method, headers: sent, body, cache, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new Trouble(0, t("connection.unreached"));
  }
  if (!answer.ok) throw await troubleOf(answer);
  return answer;
}

/** @param {Response} answer */
async function troubleOf(answer) {
  let type = "";
  let words = t("connection.answered", { status: String(answer.status) });
  try {
    const problem = await answer.json();
    type = problem.type ?? "";
    const mistakes = (problem.errors ?? []).map((/** @type {object} */ one) => Object.values(one).join(" "));
    const title = known(`problem.${type.split(":").at(-1)}`) ?? problem.title;
    words = [title, said(problem.detail ?? ""), ...mistakes].filter(Boolean).join(": ");
  } catch {
    // Not a problem document: a proxy in between, say.
  }
  if (answer.status === 401) onLocked();
  return new Trouble(answer.status, words, Number(answer.headers.get("Retry-After") ?? 0), type);
}

/** 32 hexadecimal digits of chance; `crypto.randomUUID` is missing without TLS. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The words of a trouble; whatever else was thrown is a fault of ours and is thrown on.
 * @param {unknown} trouble
 */
export function troubleWords(trouble) {
  if (!(trouble instanceof Trouble)) throw trouble;
  return trouble.message;
}

/** Whether the service does not know this path: an older one, say. @param {unknown} trouble */
export function isMissing(trouble) {
  return trouble instanceof Trouble && (trouble.status === 405 || (trouble.status === 404 && !trouble.type.includes(":unknown-")));
}
