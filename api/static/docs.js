// Shows openapi.json as a page. No library, nothing from another host; text is only ever set as
// text, never as markup.

import { t, translate } from "./app/base/texts.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** @param {string} name @param {Record<string, string>} attributes @param {...(Node | string | null | undefined)} children */
function node(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child != null));
  return element;
}

// What stands between backticks is code.
/** @param {string | undefined} text */
function words(text) {
  return (text ?? "").split("`").map((part, n) => (n % 2 ? node("code", {}, part) : part));
}

// The description is what the service makes it; its shape is OpenAPI's.
/** @typedef {any} Description */
/** @typedef {any} Schema */

/** @param {Description} description @param {Schema} schema */
function resolve(description, schema) {
  if (!schema?.$ref) return schema ?? {};
  return schema.$ref
    .replace("#/", "")
    .split("/")
    .reduce((/** @type {any} */ at, /** @type {string} */ key) => at?.[key], description) ?? {};
}

/** @param {Schema} schema @returns {string} */
function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const any = schema.anyOf ?? schema.oneOf;
  if (any) return any.map(typeName).join(t("apidocs.or"));
  if (schema.enum) return schema.enum.map((/** @type {unknown} */ value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return t("apidocs.list", { of: typeName(schema.items) });
  const bounds = [];
  if (schema.minimum !== undefined) bounds.push(`≥ ${schema.minimum}`);
  if (schema.exclusiveMinimum !== undefined) bounds.push(`> ${schema.exclusiveMinimum}`);
  if (schema.maximum !== undefined) bounds.push(`≤ ${schema.maximum}`);
  return [schema.type ?? t("apidocs.any"), ...bounds].join(" ");
}

/** @param {Description} description @param {Schema} schema @param {Set<string>} seen @returns {HTMLElement} */
function fields(description, schema, seen = new Set()) {
  const shown = resolve(description, schema);
  /** @type {[string, Schema][]} */
  const properties = Object.entries(shown.properties ?? {});
  if (properties.length === 0) return node("p", {}, typeName(schema));
  const name = shown.title ?? typeName(schema);
  const table = node("table", {});
  for (const [key, field] of properties) {
    const needed = (shown.required ?? []).includes(key) && field.default === undefined;
    const notes = [field.description];
    if (field.default !== undefined && field.default !== null) notes.push(t("apidocs.default", { value: JSON.stringify(field.default) }));
    const cell = node("td", {}, ...words(notes.filter(Boolean).join(" ")));
    for (const part of [field, field.items, ...(field.anyOf ?? [])]) {
      if (part?.$ref && !seen.has(part.$ref)) {
        const inner = node("details", {}, node("summary", {}, typeName(part)));
        const body = node("div", {});
        // Filled when opened: schemas refer to each other.
        inner.addEventListener("toggle", () => {
          if (body.childElementCount === 0) {
            body.append(fields(description, part, new Set([...seen, part.$ref])));
          }
        });
        inner.append(body);
        cell.append(inner);
      }
    }
    table.append(
      node("tr", {}, node("td", {}, node("code", {}, key), needed ? " *" : ""), node("td", {}, typeName(field)), cell),
    );
  }
  return node("div", {}, name ? node("p", {}, node("strong", {}, name)) : null, table);
}

/** @param {Description} description @param {{content?: Record<string, {schema: Schema}>} | undefined} part */
function content(description, part) {
  return Object.entries(part?.content ?? {}).map(([type, value]) =>
    node("div", {}, node("p", {}, node("code", {}, type)), fields(description, value.schema)),
  );
}

/** @param {Description} description @param {string} path @param {string} method @param {any} operation */
function operationNode(description, path, method, operation) {
  const scopes = (operation.security ?? []).flatMap((/** @type {object} */ entry) => Object.keys(entry));
  const body = node("div", {}, node("p", {}, ...words(operation.description)));
  if (operation.parameters?.length) {
    const table = node("table", {});
    for (const parameter of operation.parameters) {
      table.append(
        node("tr", {}, node("td", {}, node("code", {}, parameter.name)), node("td", {}, parameter.in),
          node("td", {}, typeName(parameter.schema)), node("td", {}, parameter.description ?? "")),
      );
    }
    body.append(node("h4", {}, t("apidocs.parameters")), table);
  }
  if (operation.requestBody) {
    body.append(node("h4", {}, t("apidocs.body")), ...content(description, operation.requestBody));
  }
  body.append(node("h4", {}, t("apidocs.answers")));
  for (const [status, answer] of Object.entries(/** @type {Record<string, any>} */ (operation.responses ?? {}))) {
    body.append(
      node("details", {}, node("summary", {}, node("strong", {}, status), " ", ...words(answer.description)),
        node("div", {}, ...content(description, answer))),
    );
  }
  return node("details", { id: operation.operationId },
    node("summary", {}, node("span", { class: "method" }, method), node("span", { class: "path" }, path),
      node("span", { class: "scope" }, scopes.join(", ") || t("apidocs.public")),
      node("div", {}, operation.summary ?? "")),
    body);
}

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** @param {Description} description */
function show(description) {
  byId("title").textContent = t("apidocs.title", { name: description.info.title });
  byId("description").textContent = description.info.description ?? "";
  const main = byId("operations");
  const list = node("ul", {});
  main.replaceChildren();
  for (const tag of description.tags ?? []) {
    main.append(node("h2", {}, tag.name), node("p", {}, tag.description ?? ""));
    for (const [path, operations] of Object.entries(description.paths)) {
      for (const method of METHODS) {
        const operation = /** @type {any} */ (operations)[method];
        if (!operation?.tags?.includes(tag.name)) continue;
        main.append(operationNode(description, path, method, operation));
        list.append(node("li", {}, node("a", { href: `#${operation.operationId}` }, `${method.toUpperCase()} ${path}`)));
      }
    }
  }
  byId("contents").replaceChildren(list);
  openTarget();
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}

addEventListener("hashchange", openTarget);
translate(document);
try {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  show(await answer.json());
} catch (error) {
  byId("operations").textContent = t("apidocs.failed", { error: error instanceof Error ? error.message : String(error) });
}
