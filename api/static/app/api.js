// Asks the service by HTTP, with the token of this tab. The rule it keeps: every failure becomes a
// `Trouble` with words for a person; the token never stands in a URL.

const TOKEN = "lamplighter.token";
const PATIENCE_MS = 20_000; // the service answers everything but a verdict within 12 s

/** A request that did not succeed; `status` is 0 when the service was not reached. */
export class Trouble extends Error {
  constructor(status, words, retryAfter = 0) {
    super(words);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

let onLocked = () => {};

/** Who is told when a token is needed. */
export function whenLocked(listener) {
  onLocked = listener;
}

export function token() {
  return sessionStorage.getItem(TOKEN);
}

export function setToken(value) {
  if (value === null) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, value);
}

/** The JSON of an answer (null without a body). Throws Trouble. */
export async function ask(method, path, { body, headers = {} } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (token() !== null) sent.Authorization = `Bearer ${token()}`;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Trouble(0, "The service cannot be reached.");
  }
  if (!answer.ok) throw await troubleOf(answer);
  return (answer.headers.get("Content-Type") ?? "").includes("json") ? answer.json() : null;
}

async function troubleOf(answer) {
  let words = `The service answered ${answer.status}.`;
  try {
    const problem = await answer.json();
    const mistakes = (problem.errors ?? []).map((one) => Object.values(one).join(" "));
    words = [problem.title, problem.detail, ...mistakes].filter(Boolean).join(": ");
  } catch {
    // Not a problem document: a proxy in between, say.
  }
  if (answer.status === 401) onLocked();
  return new Trouble(answer.status, words, Number(answer.headers.get("Retry-After") ?? 0));
}

/** 32 hexadecimal digits of chance; `crypto.randomUUID` is missing without TLS. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
