// Keeps the live websocket, and says how current the page is. What is shown is called live only while the
// service's beat is heard; a lost connection resumes where it broke off, or starts with a new snapshot.
// The protocol is told in docs/live.md.

import { HOME } from "./address.js";
import { Trouble, ask, borrowToken, token } from "./api.js";
import { now, setNow } from "./clock.js";
import { allow } from "./may.js";
import { t } from "./texts.js";

const LIVE = "api/v1/live";
const OPEN_WITHIN_MS = 10_000;
const BACKOFF_MS = 500;
const BACKOFF_MOST_MS = 20_000;
const RESTARTING = 1012;
const LOCKED_CODES = new Set([4401, 4403]);
// After a resume what was missed comes at once; when nothing does, nothing was missed.
const CAUGHT_UP_MS = 300;
// Silence for so long is asked about, and when no answer comes for as long again, it is said. A beat
// alone, every 20 s, would leave a page for half a minute with lamps that nobody knows of.
const SILENCE_MS = 4_000;
const NO_NETWORK = t("connection.no-network");
const NO_UPGRADE = t("connection.no-upgrade");

/** `state` is connecting, locked, catching-up, live, stale or reconnecting, since `since`. */
export class Connection {
  /** @type {"connecting" | "locked" | "catching-up" | "live" | "stale" | "reconnecting"} */
  state = "connecting";
  /** @type {number} */
  since = now();
  reason = "";
  boot = "";
  /** What is shown is as of then, while it is not live (seconds of the service). @type {number | null} */
  trueAt = null;
  /** When the next try is (seconds of the service), while reconnecting. @type {number | null} */
  nextAt = null;
  #store;
  #onState;
  #onLocked;
  #onCaller;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {number | null} */
  #number = null; // of the last change that was applied; null: only a snapshot will do
  #beatS = 20;
  #tries = 0;
  #opened = false; // whether this websocket ever opened
  #turn = 0; // of connecting: whoever comes back to another one was overtaken
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer; // the next try
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #watch; // what must be heard before it fires

  /**
   * @param {import("./store.js").Store} store
   * @param {{onState: (connection: Connection) => void, onLocked: (reason: string) => void, onCaller: () => void}} tell
   */
  constructor(store, { onState, onLocked, onCaller }) {
    this.#store = store;
    this.#onState = onState;
    this.#onLocked = onLocked;
    this.#onCaller = onCaller;
    addEventListener("online", () => this.#hurry());
    addEventListener("offline", () => this.state !== "locked" && this.#lost(NO_NETWORK));
    document.addEventListener("visibilitychange", () => document.hidden || this.#look());
    addEventListener("pagehide", () => this.#drop());
    addEventListener("pageshow", (event) => event.persisted && this.start());
  }

  /** Connect, now. Also after a token was given. */
  async start() {
    clearTimeout(this.#timer);
    this.#drop();
    const turn = this.#turn;
    try {
      // The browser does not tell why a websocket was refused; a question by HTTP does.
      const caller = await ask("GET", "api/v1/caller");
      if (turn !== this.#turn) return;
      allow(caller);
      this.#onCaller();
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      const borrowed = trouble.status === 401 && token() === null && (await borrowToken());
      if (turn !== this.#turn) return;
      if (borrowed) this.start();
      else this.#failed(trouble);
      return;
    }
    this.#open();
  }

  /** @param {Trouble} trouble */
  #failed(trouble) {
    const refused = trouble.status === 403 && token() !== null;
    if (trouble.status === 401) return this.#lock(t("token.invalid"));
    if (refused) return this.#lock(trouble.message);
    return this.#again(trouble.message, trouble.retryAfter * 1000);
  }

  /** @param {string} reason */
  #lock(reason) {
    this.#set("locked", reason);
    this.#onLocked(reason);
  }

  #open() {
    const url = new URL(LIVE, HOME);
    url.protocol = url.protocol.replace("http", "ws");
    if (this.#number !== null) url.searchParams.set("resume", `${this.boot}:${this.#number}`);
    const socket = new WebSocket(url, ["lamplighter.v1"]);
    this.#socket = socket;
    this.#opened = false;
    this.#expect(OPEN_WITHIN_MS, () => this.#lost(t("connection.no-answer")));
    socket.addEventListener("open", () => {
      this.#opened = true;
      if (token() !== null) socket.send(JSON.stringify({ type: "auth", token: token() }));
    });
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#hear(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      if (socket !== this.#socket) return;
      if (LOCKED_CODES.has(event.code)) {
        this.#drop();
        this.#lock(event.code === 4403 ? t("connection.may-not-look") : t("token.invalid"));
      } else if (!this.#opened) this.#lost(NO_UPGRADE);
      else this.#lost(event.code === RESTARTING ? t("connection.restarting") : event.reason);
    });
  }

  /** @param {import("./wire.js").Message} message */
  #hear(message) {
    this.#expectBeat();
    switch (message.type) {
      case "hello":
        this.#greet(message);
        break;
      case "snapshot":
        this.#store.snapshot(message);
        if (message.part === message.parts) this.#caughtUp(message.number);
        else this.#set("catching-up");
        break;
      case "changes":
        this.#store.changes(message.changes.filter((change) => change.number > (this.#number ?? -1)));
        this.#caughtUp(message.number);
        break;
      case "beat":
        setNow(message.at);
        this.#caughtUp(message.number);
        break;
      case "pong": // what came before it is all that there was
        if (this.state === "stale") this.#set("live");
        if (this.state === "live") this.trueAt = now();
        break;
    }
  }

  /** @param {import("./wire.js").Hello} hello */
  #greet(hello) {
    setNow(hello.at);
    this.boot = hello.boot;
    this.#beatS = hello.beat_s;
    this.#number = hello.resumed ? hello.number : null;
    this.#tries = 0;
    this.#set("catching-up");
    if (hello.resumed) setTimeout(() => this.state === "catching-up" && this.#set("live"), CAUGHT_UP_MS);
  }

  /** @param {number} number */
  #caughtUp(number) {
    this.#number = Math.max(this.#number ?? 0, number);
    this.trueAt = now();
    if (this.state !== "live") this.#set("live");
  }

  /** Silence is asked about; without an answer it is stale, and after as long again it is lost. */
  #expectBeat() {
    const silence = Math.min(SILENCE_MS, this.#beatS * 1_500);
    this.#expect(silence, () => {
      if (document.hidden) return this.#expectBeatOnly(); // nobody looks: the beat will do
      this.#say({ type: "ping" });
      this.#expect(silence, () => {
        this.#set("stale");
        this.#say({ type: "ping" });
        this.#expect(silence * 2, () => this.#lost(t("connection.not-heard")));
      });
    });
  }

  #expectBeatOnly() {
    this.#expect(this.#beatS * 2_500, () => this.#lost(t("connection.not-heard")));
  }

  /** @param {number} ms @param {() => void} otherwise */
  #expect(ms, otherwise) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(otherwise, ms);
  }

  /** @param {object} message */
  #say(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {string} reason */
  #lost(reason) {
    this.#drop();
    this.#again(reason);
  }

  #drop() {
    this.#turn += 1;
    clearTimeout(this.#watch);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** Try again after a while that doubles, with half of it left to chance. @param {string} reason */
  #again(reason, leastMs = 0) {
    const whole = Math.min(BACKOFF_MS * 2 ** this.#tries, BACKOFF_MOST_MS);
    this.#tries += 1;
    const waitMs = Math.max(leastMs, whole * (0.5 + Math.random() / 2));
    this.nextAt = now() + waitMs / 1000;
    this.#set("reconnecting", navigator.onLine ? reason : NO_NETWORK);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), waitMs);
  }

  #hurry() {
    if (this.state === "reconnecting") this.start();
  }

  /** The page is looked at again. */
  #look() {
    this.#hurry();
    if (this.state !== "live") return;
    this.#say({ type: "ping" });
    this.#expectBeat();
  }

  /** @param {Connection["state"]} state */
  #set(state, reason = "") {
    if (state !== this.state) this.since = now();
    this.state = state;
    this.reason = reason;
    this.#onState(this);
  }
}
