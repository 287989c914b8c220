// Every text of the pages in English, which also says which keys there are and what goes into them.

import { MAIN } from "./en/main.js";
import { PLANS } from "./en/plans.js";

export const EN = { ...MAIN, ...PLANS };
