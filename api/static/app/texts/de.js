// Every text of the pages in German.

import { ALERTS } from "./de/alerts.js";
import { APIDOCS } from "./de/apidocs.js";
import { AUDIT } from "./de/audit.js";
import { CLUSTER } from "./de/cluster.js";
import { COMMON } from "./de/common.js";
import { CONNECTION } from "./de/connection.js";
import { EVIDENCE } from "./de/evidence.js";
import { FLEET } from "./de/fleet.js";
import { GATEWAYS } from "./de/gateways.js";
import { HOOKS } from "./de/hooks.js";
import { LIGHT } from "./de/light.js";
import { LOG } from "./de/log.js";
import { MAIN } from "./de/main.js";
import { PLANS } from "./de/plans.js";
import { PROBLEMS } from "./de/problems.js";
import { REASONS } from "./de/reasons.js";
import { RELIABILITY } from "./de/reliability.js";
import { ROLLOUTS } from "./de/rollouts.js";
import { SAID } from "./de/said.js";
import { SCENES } from "./de/scenes.js";

export const DE = {
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
