// Every text of the pages in German.

import { MAIN } from "./de/main.js";

export const DE = { ...MAIN };
