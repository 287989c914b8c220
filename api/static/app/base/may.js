// What the caller may do, as the service tells it: the operations that it would refuse, each as method and path of
// the OpenAPI. What needs one that is refused (`data-needs`) is not shown, whenever it came to the page.

/** @typedef {import("./wire.js").Caller} Caller */

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets.push(sheet);

/** @type {Set<string>} */
let refused = new Set();
let told = false;
let limited = false;

/** From now on the caller is this one. @param {Caller} caller */
export function allow(caller) {
  refused = new Set(caller.refused ?? []);
  limited = caller.limited ?? false;
  told = true;
  const selectors = [...refused].map((operation) => `[data-needs="${CSS.escape(operation)}"]`);
  // A process of 0.1 in the same cluster says no more than this.
  if (caller.refused === undefined && !caller.may_command) selectors.push('[data-needs]:not([data-needs^="GET "])');
  sheet.replaceSync(selectors.length === 0 ? "" : `${selectors.join(", ")} { display: none !important; }`);
}

/** Whether the service would do this, `GET /api/v1/schedules` say; false until it is known who asks. @param {string} operation */
export function may(operation) {
  return told && !refused.has(operation);
}

/** Whether the service said that it would not. @param {string} operation */
export function mayNot(operation) {
  return told && refused.has(operation);
}

/** Whether every light may be seen, and what belongs to all of them may be changed. */
export function seesAll() {
  return !limited;
}
