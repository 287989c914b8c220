// Every text of the pages in German.

import { MAIN } from "./de/main.js";
import { PLANS } from "./de/plans.js";

export const DE = { ...MAIN, ...PLANS };
