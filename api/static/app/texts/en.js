// Every text of the pages in English, which also says which keys there are and what goes into them.

import { ALERTS } from "./en/alerts.js";
import { APIDOCS } from "./en/apidocs.js";
import { AUDIT } from "./en/audit.js";
import { CLUSTER } from "./en/cluster.js";
import { COMMON } from "./en/common.js";
import { CONNECTION } from "./en/connection.js";
import { EVIDENCE } from "./en/evidence.js";
import { FLEET } from "./en/fleet.js";
import { GATEWAYS } from "./en/gateways.js";
import { HOOKS } from "./en/hooks.js";
import { LIGHT } from "./en/light.js";
import { LOG } from "./en/log.js";
import { MAIN } from "./en/main.js";
import { PLANS } from "./en/plans.js";
import { PROBLEMS } from "./en/problems.js";
import { REASONS } from "./en/reasons.js";
import { RELIABILITY } from "./en/reliability.js";
import { ROLLOUTS } from "./en/rollouts.js";
import { SAID } from "./en/said.js";
import { SCENES } from "./en/scenes.js";

export const EN = {
  ...ALERTS,
  ...APIDOCS,
  ...AUDIT,
  ...CLUSTER,
  ...COMMON,
  ...CONNECTION,
  ...EVIDENCE,
  ...FLEET,
  ...GATEWAYS,
  ...HOOKS,
  ...LIGHT,
  ...LOG,
  ...MAIN,
  ...PLANS,
  ...PROBLEMS,
  ...REASONS,
  ...RELIABILITY,
  ...ROLLOUTS,
  ...SAID,
  ...SCENES,
};
