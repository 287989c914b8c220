// Says sentences of the service in German, as a page would: a list of them on standard input, the path of
// `app/base/said.js` as argument. Prints the German words of each.

import { pathToFileURL } from "node:url";

globalThis.localStorage = { getItem: () => "de" };
globalThis.document = { documentElement: {} };
const { said } = await import(pathToFileURL(process.argv[2]));
let told = "";
for await (const part of process.stdin) told += part;
console.log(JSON.stringify(JSON.parse(told).map((text) => ({ words: said(text) }))));
