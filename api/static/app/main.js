// Puts the page together: store, connection, views, and the address that remembers what one looks at. The
// parts do not know each other.

import { Audit } from "./audit/audit.js";
import { Banner } from "./banner.js";
import { addressOf, choose, chosen, goBack, step, whenChosen } from "./base/address.js";
import { ask, release, setToken, token, whenBorrowed, whenLocked } from "./base/api.js";
import { zone } from "./base/clock.js";
import { Connection } from "./base/connection.js";
import { byId, el, setAttribute, setHidden, setText } from "./base/dom.js";
import { LANGUAGES, chooseLanguage, chosenLanguage } from "./base/locale.js";
import { may } from "./base/may.js";
import { Store, freshBatch } from "./base/store.js";
import { t, translate } from "./base/texts.js";
import { Cluster } from "./cluster/cluster.js";
import { Fleet } from "./fleet/fleet.js";
import { Gateways } from "./gateways/gateways.js";
import { Plans } from "./plans/plans.js";
import { Wall, onWall } from "./plans/wall.js";
import { Hooks } from "./hooks/hooks.js";
import { LightPanel } from "./light/panel.js";
import { Alerts } from "./reliability/alerts.js";
import { Reliability } from "./reliability/reliability.js";
import { RolloutForm } from "./rollouts/form.js";
import { Rollouts } from "./rollouts/rollouts.js";
import { Scenes } from "./scenes/scenes.js";

const NARROW = matchMedia("(max-width: 980px)");
const SCHEME = "lamplighter.scheme";
// A screen reader that tells of a hundred lights says nothing.
const SAID_MOST = 3;
const SCHEMES = /** @type {const} */ (["system", "dark", "light"]);
const TITLES = /** @type {Record<string, string>} */ ({ fleet: t("main.lights"), plans: t("main.plans"), gateways: t("main.gateways"), reliability: t("main.reliability"), rollouts: t("main.rollouts"), scenes: t("main.scenes"), hooks: t("hooks.title"), cluster: t("main.cluster"), audit: t("audit.page") });

const store = new Store();
const fleet = new Fleet(store, { open: (devEui) => (chosen("light") === devEui ? leaveLight() : openLight(devEui)), onSelect: showSelection });
const plans = new Plans(store, { open: openLight, selection: fleet.selection, announcer: byId("announcer"), onShown: () => wall.show(view === "plans" && onWall(), plans.name) });
const gateways = new Gateways(store);
const alerts = new Alerts(store, { announcer: byId("announcer"), open: openLight });
const reliability = new Reliability(store, alerts.element);
const rollouts = new Rollouts(store);
const scenes = new Scenes(() => choose({ view: "rollouts", light: "" }, { push: true }));
const hooks = new Hooks();
const cluster = new Cluster(showCluster);
const audit = new Audit(store);
const form = new RolloutForm((rollout) => {
  store.putRollouts([rollout]);
  fleet.selection.clear();
  choose({ view: "rollouts", light: "" }, { push: true });
});
const connection = new Connection(store, { onState: showConnection, onLocked: lock, onCaller: showCaller });
const banner = new Banner(connection, store);
const wall = new Wall(connection);
/** @type {LightPanel | null} */
let panel = null;
let servedBoot = "";
let view = "";
/** Lights that are chosen, as the plan knows it. @type {Set<string>} */
let marked = new Set();

// ------------------------------------------------------------------ what is looked at

const VIEWS = /** @type {Record<string, HTMLElement>} */ ({
  fleet: el("div", {}, alerts.strip, fleet.element), plans: plans.element, gateways: gateways.element, reliability: reliability.element, rollouts: rollouts.element, scenes: scenes.element, hooks: hooks.element, cluster: cluster.element, audit: audit.element,
});

function recall() {
  const asked = chosen("view");
  const next = onWall() ? "plans" : asked in VIEWS ? asked : "fleet";
  if (next !== view) {
    view = next;
    setText(byId("view-title"), TITLES[view]);
    document.title = view === "fleet" ? "Lamplighter" : t("main.title", { page: TITLES[view] });
    for (const [name, element] of Object.entries(VIEWS)) setHidden(element, name !== view);
    scrollTo({ top: 0, behavior: "instant" });
  }
  for (const link of document.querySelectorAll(".views a")) {
    setAttribute(link, "aria-current", link.getAttribute("data-view") === view ? "page" : null);
  }
  if (view === "fleet") fleet.recall();
  plans.look(view === "plans");
  wall.show(view === "plans" && onWall(), plans.name);
  gateways.look(view === "gateways");
  reliability.look(view === "reliability");
  rollouts.look(view === "rollouts");
  scenes.look(view === "scenes");
  hooks.look(view === "hooks");
  cluster.look(view === "cluster");
  audit.look(view === "audit");
  showLight();
  showSelection();
}

/** Links within the page change the address without a new page. @param {MouseEvent} event */
function follow(event) {
  const link = /** @type {Element} */ (event.target).closest("a[href^='./']");
  const href = link?.getAttribute("href") ?? "";
  if (link === null || !(href === "./" || href.startsWith("./?")) || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const asked = new URL(href, location.href).searchParams;
  const cleared = [...new URL(location.href).searchParams.keys()].map((name) => [name, ""]);
  choose({ ...Object.fromEntries(cleared), ...Object.fromEntries(asked) }, { push: true });
}

// ------------------------------------------------------------------ the head

function showNumbers() {
  const { size } = store.gateways;
  const online = [...store.gateways.values()].filter((gateway) => gateway.online).length;
  setText(byId("tally-gateways"), size === 0 ? "" : `${online}/${size}`);
  setAttribute(byId("tally-gateways"), "data-kind", online < size ? "failed" : null);
  setText(byId("tally-alerts"), alerts.count === 0 ? "" : t("main.alerts", { n: alerts.count }));
  setAttribute(byId("tally-alerts"), "data-kind", alerts.count > 0 ? "failed" : null);
  setText(byId("tally-rollouts"), rollouts.running === 0 ? "" : t("main.running", { n: rollouts.running }));
}

/** One process alone needs no page; of many it is said at once when one is gone. @param {import("./base/wire.js").ClusterTold | null} told */
function showCluster(told) {
  const many = told?.mode === "cluster";
  setHidden(byId("to-cluster"), !many);
  if (told === null || !many) return;
  const alive = told.members.filter((member) => member.state === "alive").length;
  setText(byId("tally-cluster"), `${alive}/${told.members.length}`);
  setAttribute(byId("tally-cluster"), "data-kind", alive < told.members.length || told.shards_unowned > 0 ? "failed" : null);
}

function showConnection() {
  banner.show();
  wall.look();
  const dialog = /** @type {HTMLDialogElement} */ (byId("token-dialog"));
  if (dialog.open && ["catching-up", "live"].includes(connection.state)) dialog.close(); // another tab had a token
  setText(byId("zone"), t("main.zone", { zone: zone() }));
  if (connection.state === "live" && servedBoot !== connection.boot) {
    servedBoot = connection.boot;
    showService();
    lookForDemo();
    banner.askReadiness();
  }
}

/** It is known who asks, and so what may be asked for. */
function showCaller() {
  scenes.allowed();
  cluster.ask();
}

/** Which release serves us, and which run of it: asked once a run. */
async function showService() {
  let version = "";
  try {
    version = await release();
  } catch {
    // The line then tells the boot alone.
  }
  const boot = connection.boot.slice(0, 12);
  setText(byId("service"), version === "" ? t("main.service-unknown", { boot }) : t("main.service", { version, boot }));
}

// ------------------------------------------------------------------ lights chosen

function showSelection() {
  const { size } = fleet.selection;
  const bar = byId("selection");
  setHidden(bar, size === 0 || !(view === "fleet" || view === "plans"));
  document.body.classList.toggle("with-selection", size > 0);
  setText(byId("selected"), t("main.selected", { n: size }));
  const all = byId("select-all");
  const shown = choosable();
  setHidden(all, shown.every((devEui) => fleet.selection.has(devEui)));
  setText(all, t("main.select-all", { n: shown.length }));
  plans.marked(new Set([...marked, ...fleet.selection.lights]));
  marked = new Set(fleet.selection.lights);
}

/** What "all" is: those that the filters leave, or those of the plan that are in sight. */
function choosable() {
  return view === "plans" ? plans.inView : fleet.shown;
}

byId("select-all").addEventListener("click", () => fleet.selection.setAll(choosable(), true));
byId("select-none").addEventListener("click", () => fleet.selection.clear());
byId("select-scene").addEventListener("click", () => {
  scenes.save([...fleet.selection.lights]);
});
byId("select-set").addEventListener("click", () => {
  const chosenOnes = [...fleet.selection.lights];
  form.ask(chosenOnes, fleet.names(chosenOnes));
});

// ------------------------------------------------------------------ one light

/** Opening a light is a step that "back" undoes; from one light to the next is none. @param {string} devEui */
function openLight(devEui) {
  if (chosen("light")) choose({ light: devEui });
  else choose({ light: devEui }, { push: true, step: { from: location.href } });
}

/** Close the light as "back" would, where nothing else was chosen since it was opened. */
function leaveLight() {
  const without = new URL(location.href);
  without.searchParams.delete("light");
  if (step()?.from === without.href) goBack();
  else choose({ light: "" });
}

function showLight() {
  const devEui = chosen("light");
  if ((panel?.devEui ?? "") === devEui) return;
  if (devEui && !store.devices.has(devEui)) return; // it may come with the snapshot
  closePanel();
  if (!devEui) return;
  panel = new LightPanel(devEui, store, leaveLight);
  const aside = byId("panel");
  aside.replaceChildren(...panel.elements());
  aside.hidden = false;
  aside.scrollTop = 0;
  document.body.classList.add("with-panel");
  byId("page").inert = NARROW.matches;
  panel.update({ ...freshBatch(), all: true });
  panel.focus();
  fleet.mark(devEui);
}

function closePanel() {
  if (panel === null) return;
  const { devEui } = panel;
  panel.close();
  panel = null;
  byId("panel").hidden = true;
  byId("panel").replaceChildren();
  document.body.classList.remove("with-panel");
  byId("page").inert = false;
  fleet.mark("");
  if (view === "fleet") fleet.focus(devEui);
}

// ------------------------------------------------------------------ the token

/** @param {string} reason */
function lock(reason) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("token-dialog"));
  setText(byId("token-words"), token() === null ? t("token.shared") : t("token.again", { reason }));
  if (!dialog.open) dialog.showModal();
  whenBorrowed(() => {
    dialog.close();
    connection.start();
  });
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = /** @type {HTMLInputElement} */ (byId("token"));
  setToken(input.value.trim());
  input.value = "";
  /** @type {HTMLDialogElement} */ (byId("token-dialog")).close();
  connection.start();
});
byId("token-dialog").addEventListener("cancel", (event) => event.preventDefault());

/** In the demonstration one may switch gateways; elsewhere there is no such page. */
async function lookForDemo() {
  if (!may("GET /demo/state")) return;
  try {
    await ask("GET", "demo/state");
    gateways.demo = true;
  } catch {
    gateways.demo = false;
  }
}

// ------------------------------------------------------------------ light and dark

/** @param {typeof SCHEMES[number]} scheme */
function wearScheme(scheme) {
  document.documentElement.dataset.scheme = scheme;
  const words = t(`main.scheme.${scheme}`);
  setText(byId("scheme-words"), words);
  byId("scheme").title = words;
}

byId("scheme").addEventListener("click", () => {
  const next = SCHEMES[(SCHEMES.findIndex((scheme) => scheme === document.documentElement.dataset.scheme) + 1) % SCHEMES.length];
  localStorage.setItem(SCHEME, next);
  wearScheme(next);
});

// ------------------------------------------------------------------ the language

/** To be chosen in the foot; each by its own name, since who seeks it may read no other. */
function offerLanguages() {
  const offered = Object.entries(LANGUAGES).map(([tag, name]) => el("option", { value: tag, lang: tag, text: name }));
  const select = el("select", { "aria-label": t("main.language"), onchange: () => chooseLanguage(select.value) }, el("option", { value: "", text: t("main.language-of-browser") }), ...offered);
  select.value = chosenLanguage();
  byId("language").append(select);
}

// ------------------------------------------------------------------ begin

translate(document);
offerLanguages();
wearScheme(SCHEMES.find((scheme) => scheme === localStorage.getItem(SCHEME)) ?? "system");
byId("views").append(wall.element, ...Object.values(VIEWS));
document.body.append(form.element, ...scenes.dialogs, ...hooks.dialogs);
for (const link of document.querySelectorAll(".views a")) {
  const name = link.getAttribute("data-view") ?? "";
  link.setAttribute("href", addressOf({ view: name === "fleet" ? "" : name }));
}
recall();
whenChosen(recall);
document.addEventListener("click", follow);
addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.matches("input:not([type='checkbox'], [type='radio']), textarea, select");
  if (event.key === "Escape" && !event.defaultPrevented && document.querySelector("dialog[open]") === null) {
    if (panel !== null) leaveLight();
    else if (!typing) fleet.selection.clear();
  }
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && view === "fleet") {
    event.preventDefault();
    fleet.focusSearch();
  }
});
// The details begin where the head ends.
new ResizeObserver(([head]) => {
  document.documentElement.style.setProperty("--top", `${head.borderBoxSize[0].blockSize}px`);
}).observe(byId("top"));
NARROW.addEventListener("change", () => (byId("page").inert = NARROW.matches && panel !== null));
store.subscribe((batch) => {
  if (view === "fleet") fleet.update(batch);
  else fleet.missed(batch);
  plans.update(batch);
  gateways.update(batch);
  alerts.update(batch);
  reliability.update(batch);
  rollouts.update(batch);
  audit.update(batch);
  panel?.update(batch);
  if (panel !== null && !store.devices.has(panel.devEui)) choose({ light: "" });
  if (batch.gone.length > 0) {
    setText(byId("announcer"), batch.gone.slice(0, SAID_MOST).join(" "));
    showSelection();
  }
  if (batch.all || batch.gateways.size > 0 || batch.alerts || batch.rollouts.size > 0) showNumbers();
  if (batch.all) {
    showLight();
    showSelection();
  }
});
whenLocked(() => lock(t("token.invalid")));
connection.start();
