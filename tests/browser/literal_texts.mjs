// Prints every literal text of the scripts named on the command line that could reach a reader's eye or ear, as
// "file:line: text". First argument: the TypeScript module, whose parser reads the scripts.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [typescript, ...files] = process.argv.slice(2);
const ts = (await import(pathToFileURL(typescript))).default;

const SHOWN = new Set(["text", "title", "aria-label", "placeholder", "alt", "label", "textContent", "innerText", "ariaLabel", "aria-description", "aria-valuetext", "aria-roledescription"]);
const MAKERS = new Set(["el", "draw", "node"]); // name, properties, then children
/** The place of their text, or null where every argument is one. */
const TEXT_SETTERS = new Map([["setText", 1], ["Option", 0], ["append", null], ["prepend", null], ["replaceChildren", null], ["createTextNode", 0], ["alert", 0], ["confirm", 0], ["prompt", 0]]);
// Keys of texts, selectors, addresses, and what tells a programmer of a fault.
const NOT_SHOWN = new Set(["t", "parts", "known", "knownText", "isKey", "querySelector", "querySelectorAll", "closest", "matches", "matchMedia", "replaceSync", "Error", "getContext", "get"]);
// In properties of elements and of `fetch`, and in tables of shapes.
const NOT_WORDS = new Set(["class", "className", "d", "viewBox", "points", "transform", "style", "preserveAspectRatio", "method", "headers", "Accept", "Content-Type", "hourCycle", "rel", "accept", "font"]);

/** Whether these are words: two of them, or one with a capital letter that is not a constant. */
const words = (text) => /\p{L}{2,}[ ,:;]+\p{L}{2,}/u.test(text) || /^\s*\p{Lu}\p{Ll}+/u.test(text) || /\p{L}…/u.test(text);
const letters = (text) => /\p{L}/u.test(text);

function nameOf(called) {
  if (ts.isIdentifier(called)) return called.text;
  return ts.isPropertyAccessExpression(called) ? called.name.text : "";
}

/** What a literal is given to: {must} where any letter counts, {never} where none does. */
function use(node) {
  let child = node;
  let propertied = false; // below a property, it is no child of an element
  for (let at = node.parent; at !== undefined; child = at, at = at.parent) {
    if (ts.isImportDeclaration(at) || ts.isExportDeclaration(at)) return "never";
    if (ts.isPropertyAssignment(at)) {
      if (at.name === child) return "never";
      const name = ts.isIdentifier(at.name) || ts.isStringLiteral(at.name) ? at.name.text : "";
      if (NOT_WORDS.has(name)) return "never";
      if (SHOWN.has(name)) return "must";
      propertied = true;
    }
    if (ts.isBinaryExpression(at)) {
      const kind = at.operatorToken.kind;
      if ([ts.SyntaxKind.EqualsEqualsEqualsToken, ts.SyntaxKind.ExclamationEqualsEqualsToken, ts.SyntaxKind.InKeyword].includes(kind)) return "never";
      if (kind === ts.SyntaxKind.EqualsToken && ts.isPropertyAccessExpression(at.left) && NOT_WORDS.has(at.left.name.text)) return "never";
      if (kind === ts.SyntaxKind.EqualsToken && at.right === child && ts.isPropertyAccessExpression(at.left) && SHOWN.has(at.left.name.text)) return "must";
    }
    if (ts.isCaseClause(at) && at.expression === child) return "never";
    if (ts.isElementAccessExpression(at) && at.argumentExpression === child) return "never";
    if (ts.isConditionalExpression(at) && at.condition === child) return "maybe";
    if (ts.isCallExpression(at) || ts.isNewExpression(at)) {
      const name = nameOf(at.expression);
      if (at.expression === child) return "maybe";
      const place = (at.arguments ?? []).indexOf(child);
      if (NOT_SHOWN.has(name)) return "never";
      if (name === "setAttribute") return place === 2 && SHOWN.has(at.arguments[1].text) ? "must" : place === 1 && SHOWN.has(at.arguments[0].text) ? "must" : "maybe";
      if (MAKERS.has(name) && !propertied) return place >= 2 ? "must" : "never";
      if (TEXT_SETTERS.has(name)) return [null, place].includes(TEXT_SETTERS.get(name)) ? "must" : "maybe";
      if (!MAKERS.has(name)) return "maybe";
      return "maybe";
    }
    if (ts.isFunctionLike(at)) return "maybe";
  }
  return "maybe";
}

for (const file of files) {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const look = (node) => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node)) {
      const how = use(node);
      if ((how === "must" && letters(node.text)) || (how === "maybe" && words(node.text))) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        console.log(`${file}:${line + 1}: ${node.text}`);
      }
    }
    ts.forEachChild(node, look);
  };
  look(source);
}
