// Sentences of the service that come without a code, recognised by `base/said.js`.

export const SAID = /** @type {const} */ ({
  "said.attempts_unproven": "{attempts} attempts unproven",
  "said.rollout_newer": "a newer command took its place",
  "said.rollout_newer_before": "a newer command came before its turn",
  "said.rollout_rejected": "rejected: {reason}",
  "said.rollout_expired": "expired: {reason}",
  "said.rollout_overdue": "overdue: not proven in time, still pursued",
  "said.no_reason": "without a reason",
  "said.never_proven": "never proven",
  "said.rollout_failures": { one: "{n} light failed, at most {most} may", other: "{n} lights failed, at most {most} may" },
  "said.rollout_cancelled": "cancelled; commands given before go on",
  "within.since": "(since {at})",
  "within.suspect": { one: "({n} frame since {at} and no txack)", other: "({n} frames since {at} and no txack)" },
  "within.unproven": "({frames} frames since {at}, and no status in reply)",
  "within.takes_none": " takes none ",
  "within.is_suspected": " is suspected ",
  "within.and_more": " and {count} more",
});
