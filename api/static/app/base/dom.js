// Makes and mends elements. Text is only ever set as text, never as markup, and nothing is written
// that stands there already: an untouched node costs the browser nothing.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | null | undefined} Child */

/**
 * An element with properties (`class`, `text`, `on…` listeners, else attributes) and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, any>} properties
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  dress(element, properties, children);
  return element;
}

/**
 * The same for a drawing.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, any>} properties
 * @param {...Child} children
 */
export function draw(name, properties = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  dress(element, properties, children);
  return element;
}

/** @param {Element} element @param {Record<string, any>} properties @param {Child[]} children */
function dress(element, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") element.textContent = value;
    else if (key.startsWith("on") && typeof value === "function") element.addEventListener(key.slice(2), value);
    else element.setAttribute(key === "class" ? "class" : key, value === true ? "" : String(value));
  }
  element.append(.../** @type {(Node | string)[]} */ (children.filter((child) => child !== null && child !== undefined)));
}

/** One of the symbols of the page, which changes by `setIcon`. @param {string} name */
export function icon(name) {
  const svg = draw("svg", { class: "icon", "aria-hidden": "true" }, draw("use"));
  setIcon(svg, name);
  return svg;
}

/** @param {SVGElement} svg @param {string} name */
export function setIcon(svg, name) {
  setAttribute(/** @type {Element} */ (svg.firstChild), "href", `#i-${name}`);
}

/** @param {Element} element @param {string} text */
export function setText(element, text) {
  const node = element.firstChild;
  // Alone in its element, a text node is mended in place: cheaper than a new one.
  if (node !== null && node === element.lastChild && node instanceof Text) {
    if (node.data !== text) node.data = text;
  } else if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {string} name @param {string | null} value */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** @param {HTMLElement | SVGElement} element @param {boolean} hidden */
export function setHidden(element, hidden) {
  if (element.hasAttribute("hidden") !== hidden) element.toggleAttribute("hidden", hidden);
}

/**
 * Make `elements` the children of `parent`, in this order, moving only what stands elsewhere.
 * @param {Element} parent @param {Element[]} elements
 */
export function arrange(parent, elements) {
  const kept = new Set(elements);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const element of elements) {
    if (element === at) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
}

/**
 * The element of this id, which the page must have.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
