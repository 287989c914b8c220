// Puts the page together: store, connection, cards, panel, and the address that remembers what one
// looks at (?q=…&state=…&light=…). The rule it keeps: the parts do not know each other.

import { Alerts } from "./alerts.js";
import { ask, setToken, token, whenLocked } from "./api.js";
import { clockTime, span, now } from "./clock.js";
import { Connection } from "./connection.js";
import { byId, el, icon, setAttribute, setText } from "./dom.js";
import { Fleet } from "./fleet.js";
import { Gateways } from "./gateways.js";
import { LightPanel } from "./panel.js";
import { KINDS, Store } from "./store.js";
import { KIND_MEANINGS, KIND_WORDS } from "./words.js";

const NARROW = matchMedia("(max-width: 700px)");
const SCHEME = "lamplighter.scheme";
const SCHEMES = ["system", "dark", "light"];

const store = new Store();
const fleet = new Fleet(store, { list: byId("fleet"), note: byId("fleet-note"), more: byId("fleet-more"), onOpen: openLight });
const gateways = new Gateways(store, { list: byId("gateways"), tally: byId("gateways-tally") });
const alerts = new Alerts(store, {
  section: byId("alerts-section"), list: byId("alerts"), tally: byId("alerts-tally"), announcer: byId("announcer"), onOpen: openLight,
});
const connection = new Connection(store, { onState: showConnection, onLocked: lock });
const chips = new Map();
let panel = null;
let version = "";
let servedBoot = null;

// ------------------------------------------------------------------ the address

function remember(changes) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  history.replaceState(null, "", url);
}

function recall() {
  const asked = new URL(location.href).searchParams;
  const state = asked.get("state") ?? "";
  byId("search").value = asked.get("q") ?? "";
  fleet.find(byId("search").value.trim(), KINDS.includes(state) ? state : "");
}

function find(search, state) {
  fleet.find(search, state);
  remember({ q: search, state });
  showCounts();
}

// ------------------------------------------------------------------ the head

function makeChips() {
  for (const kind of ["", ...KINDS]) {
    const number = el("strong", { text: "0" });
    const button = el(
      "button",
      { type: "button", class: "chip", "data-kind": kind || "all", "aria-pressed": "false", title: kind ? KIND_MEANINGS[kind] : "All lights",
        onclick: () => find(fleet.search, fleet.state === kind ? "" : kind) },
      kind ? el("span", { class: "badge" }, icon(kind)) : null,
      number,
      el("span", { class: "label", text: kind ? KIND_WORDS[kind] : "Lights" }),
    );
    chips.set(kind, { button, number });
    byId("counts").append(button);
  }
}

function showCounts() {
  for (const [kind, { button, number }] of chips) {
    setText(number, String(kind ? store.counts[kind] : store.devices.size));
    setAttribute(button, "aria-pressed", String(fleet.state === kind));
  }
}

function connectionWords() {
  switch (connection.state) {
    case "live":
      return "Live";
    case "catching-up":
      return "Catching up…";
    case "stale":
      return `Stale for ${span(now() - connection.since)}`;
    case "reconnecting":
      return `Reconnecting since ${clockTime(connection.since)}`;
    case "locked":
      return "Token needed";
    default:
      return "Connecting…";
  }
}

function showConnection() {
  document.documentElement.dataset.connection = connection.state;
  setText(byId("connection-words"), connectionWords());
  byId("connection").title = connection.reason;
  if (connection.state === "reconnecting" && store.devices.size === 0) {
    byId("fleet-note").hidden = false;
    setText(byId("fleet-note"), connection.reason);
  }
  if (connection.state === "live" && servedBoot !== connection.boot) {
    servedBoot = connection.boot;
    showService();
    lookForDemo();
  }
}

/** Which release serves us, and which run of it: asked once a run. */
async function showService() {
  try {
    version = (await ask("GET", "/openapi.json")).info.version;
  } catch {
    // The line then tells the boot alone.
  }
  setText(byId("service"), `Lamplighter ${version}, boot ${connection.boot.slice(0, 12)}`);
}

// ------------------------------------------------------------------ one light

function openLight(devEui) {
  if (panel?.devEui === devEui) return closeLight();
  panel?.close();
  panel = new LightPanel(devEui, store, closeLight);
  const aside = byId("panel");
  aside.replaceChildren(...panel.elements());
  aside.hidden = false;
  aside.scrollTop = 0;
  document.body.classList.add("with-panel");
  byId("page").inert = NARROW.matches;
  panel.update({ all: true, devices: new Set(), commands: new Set(), gateways: new Set() });
  panel.focus();
  fleet.mark(devEui);
  remember({ light: devEui });
}

function closeLight() {
  if (panel === null) return;
  const { devEui } = panel;
  panel.close();
  panel = null;
  byId("panel").hidden = true;
  byId("panel").replaceChildren();
  document.body.classList.remove("with-panel");
  byId("page").inert = false;
  fleet.mark(null);
  fleet.focus(devEui);
  remember({ light: "" });
}

function openRemembered() {
  const devEui = new URL(location.href).searchParams.get("light");
  if (panel === null && devEui !== null && store.devices.has(devEui)) openLight(devEui);
}

// ------------------------------------------------------------------ the door

function lock(reason) {
  const door = byId("door");
  setText(byId("door-words"), token() === null ? "It is kept in this tab until you close it." : `${reason}. Another one?`);
  if (!door.open) door.showModal();
}

byId("door-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(byId("token").value.trim());
  byId("token").value = "";
  byId("door").close();
  begin();
});
byId("door").addEventListener("cancel", (event) => event.preventDefault());

/** In the demonstration one may switch gateways; elsewhere there is no such page. */
async function lookForDemo() {
  try {
    await ask("GET", "/demo/state");
    gateways.demo = true;
  } catch {
    gateways.demo = false;
  }
}

// ------------------------------------------------------------------ light and dark

function wearScheme(scheme) {
  document.documentElement.dataset.scheme = scheme;
  setText(byId("scheme-words"), `Colours: ${scheme}`);
  byId("scheme").title = `Colours: ${scheme}`;
}

byId("scheme").addEventListener("click", () => {
  const next = SCHEMES[(SCHEMES.indexOf(document.documentElement.dataset.scheme) + 1) % SCHEMES.length];
  localStorage.setItem(SCHEME, next);
  wearScheme(next);
});

// ------------------------------------------------------------------ begin

function begin() {
  connection.start();
}

wearScheme(SCHEMES.find((scheme) => scheme === localStorage.getItem(SCHEME)) ?? "system");
makeChips();
recall();
addEventListener("popstate", recall);
byId("search").addEventListener("input", () => find(byId("search").value.trim(), fleet.state));
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && panel !== null && !event.defaultPrevented) closeLight();
  const typing = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    byId("search").focus();
  }
});
// The details begin where the head ends.
new ResizeObserver(([head]) => {
  document.documentElement.style.setProperty("--top", `${head.borderBoxSize[0].blockSize}px`);
}).observe(document.querySelector(".top"));
NARROW.addEventListener("change", () => (byId("page").inert = NARROW.matches && panel !== null));
setInterval(() => connection.state === "stale" && showConnection(), 5_000);

store.subscribe((batch) => {
  fleet.update(batch);
  gateways.update(batch);
  alerts.update(batch);
  panel?.update(batch);
  showCounts();
  if (batch.all) openRemembered();
});
whenLocked(() => lock("The token is not valid"));
begin();
