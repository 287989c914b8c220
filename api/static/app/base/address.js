// What one looks at, kept in the address: a link, a reload and the back button bring it back. The rule
// it keeps: every choice of a view is a parameter here, and nothing else remembers it.

/** @typedef {Record<string, string>} Choices */

const listeners = /** @type {(() => void)[]} */ ([]);

/** The value of a parameter, or "". @param {string} name */
export function chosen(name) {
  return new URL(location.href).searchParams.get(name) ?? "";
}

/**
 * Change parameters; an empty value takes one away. `push` makes a step that "back" undoes.
 * What `step` says of that step, `step()` tells while one is there.
 * @param {Choices} changes @param {{push?: boolean, step?: unknown}} [options]
 */
export function choose(changes, { push = false, step: state = null } = {}) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  if (url.href === location.href) return;
  if (push) history.pushState(state, "", url);
  else history.replaceState(history.state, "", url);
  for (const listener of listeners) listener();
}

/** What was said of the step that one is at. @returns {any} */
export function step() {
  return history.state;
}

/** As "back" does. */
export function goBack() {
  history.back();
}

/** Told after every change of the address, by the page or by "back". @param {() => void} listener */
export function whenChosen(listener) {
  listeners.push(listener);
}

addEventListener("popstate", () => {
  for (const listener of listeners) listener();
});

/** Where the service is, as this page was loaded: also below a path of a proxy's. Ends with a slash. */
export const HOME = new URL("./", document.baseURI).href;

/** An address with these parameters and no others, to link to. @param {Choices} choices */
export function addressOf(choices) {
  const found = new URLSearchParams(Object.entries(choices).filter(([, value]) => value));
  return found.size === 0 ? "./" : `./?${found}`;
}
