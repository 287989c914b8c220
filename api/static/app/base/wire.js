// The shapes that the service speaks, for the type checker alone; nothing here runs. What they mean is
// told in docs/http.md and docs/live.md.

/** What goes into the sentence of a reason, by name. @typedef {{[name: string]: Value}} Values */
/** @typedef {string | number | {code: string, values: Values} | ({gateway_id: string, name: string, since?: number, frames?: number} | string)[]} Value */

/** @typedef {{red: number, green: number, blue: number, on: number, off: number}} Light */

/** A line of a light's log of events; what is in `detail` depends on `kind`.
 * @typedef {object} HistoryLine
 * @property {string} entry
 * @property {number} at
 * @property {string} kind
 * @property {Record<string, string | number | boolean | null>} detail
 */

/** @typedef {{dev_eui: string, events: HistoryLine[], next_until: number | null}} HistoryPage */

/** @typedef {object} Device
 * @property {string} dev_eui
 * @property {string} name
 * @property {string} application_id
 * @property {string} application_name
 * @property {string} profile_name
 * @property {Record<string, string>} tags
 * @property {string} phase
 * @property {number} since
 * @property {Light | null} wanted
 * @property {Light | null} reported
 * @property {boolean | null} as_wanted
 * @property {number | null} reported_at
 * @property {boolean} reported_current
 * @property {number | null} heard_at
 * @property {string[]} gateways
 * @property {number | null} rssi_dbm
 * @property {number | null} snr_db
 * @property {number | null} software_rev
 * @property {string} ordered_by
 * @property {"reachable" | "silent" | "no_gateway_online" | "never_heard" | "disabled"} reachability
 * @property {number | null} reachability_since
 * @property {string | null} command_id
 * @property {string | null} command_status
 * @property {string | null} command_reason
 * @property {string | null} [command_reason_code]
 * @property {Values | null} [command_reason_values]
 * @property {boolean} overdue
 * @property {string | null} last_error
 * @property {{chance_30s: number | null, warnings: string[]} | null} [risk]
 */

/** @typedef {object} Gateway
 * @property {string} gateway_id
 * @property {string} name
 * @property {boolean} online
 * @property {number} since
 * @property {number | null} last_seen_at
 * @property {number | null} heard_at
 * @property {boolean} known
 * @property {number} airtime_used_s
 * @property {number | null} airtime_budget_s
 * @property {number} pending
 * @property {string | null} [grade]
 * @property {string | null} [grade_line]
 */

/** @typedef {object} Alert
 * @property {string} id
 * @property {string} kind
 * @property {string} subject
 * @property {string} summary
 * @property {boolean} open
 * @property {number} opened_at
 * @property {number} repeats
 * @property {number | null} closed_at
 * @property {string | null} close_reason
 * @property {number | null} [acknowledged_at]
 */

/** @typedef {{at: number, kind: string, attempt: number | null, gateway_id: string | null, reason: string | null,
 *   reason_code?: string | null, reason_values?: Values | null}} Step */

/** @typedef {object} Command
 * @property {string} id
 * @property {string} dev_eui
 * @property {Light} light
 * @property {boolean} keep
 * @property {string} status
 * @property {string | null} reason
 * @property {string | null} [reason_code]
 * @property {Values | null} [reason_values]
 * @property {boolean} overdue
 * @property {number} attempts
 * @property {number} accepted_at
 * @property {number} expires_at
 * @property {number | null} ended_at
 * @property {string} [correlation_id]
 * @property {boolean} [heartbeat_only]
 * @property {Step[]} [timeline]
 * @property {number} [steps_omitted]
 * @property {string} [by]
 */

/** @typedef {{id: string, state: string, restarts: number, last_error: string | null}} Actor */

/** @typedef {object} ActorNode
 * @property {string} id
 * @property {string} state
 * @property {number} since
 * @property {number} restarts
 * @property {string | null} last_error
 * @property {number | null} last_crash_at
 * @property {Mailbox | null} mailbox
 * @property {number} children_total
 * @property {Record<string, number>} children_by_state
 * @property {ActorNode[]} children
 */

/** @typedef {{depth: number, capacity: number, peak: number, refused: number}} Mailbox */

/** @typedef {{actor_id: string, kind: string, message: string, error: string, at: number}} DeadLetter */

/** @typedef {object} Inspection
 * @property {Device} device
 * @property {{dev_addr: string, since: number, f_cnt: number | null, set_up: boolean} | null} session
 * @property {{at: number, current: boolean, downlinks_received: number, uplinks_sent: number,
 *   software_rev: number, hardware_rev: number} | null} report
 * @property {Hearing[]} hearings
 * @property {string | null} wanted_by
 * @property {Command | null} command
 * @property {{number: number, carries: string, stage: string, reason: string | null, reason_code?: string | null, reason_values?: Values | null,
 *   submitted_at: number, ends_at: number | null} | null} attempt
 * @property {number | null} next_timer_at
 * @property {number} uplinks
 * @property {number} duplicates
 * @property {number} stale
 * @property {number} missed
 * @property {number} healed
 * @property {number} joins
 * @property {number | null} last_error_at
 * @property {{state: string, since: number, restarts: number, last_error: string | null,
 *   mailbox: Mailbox | null} | null} actor
 * @property {LightQuality | null} [quality]
 */

/** @typedef {object} LightDay
 * @property {number} at
 * @property {number | null} margin_db
 * @property {number | null} uplink_loss
 * @property {number} uplinks_counted
 * @property {number | null} downlink_loss
 * @property {number} downlinks_counted
 */

/** @typedef {object} LightQuality
 * @property {number | null} chance_30s
 * @property {{rule: string, since: number, words: string}[]} warnings
 * @property {string} sentence
 * @property {LightDay[]} days
 */

/** @typedef {{line: string, grade: string | null, value: number | null, count: number, words: string}} GradeLine */

/** @typedef {{gateway_id: string, grade: string | null, reason: string, worst: string | null, lines: GradeLine[]}} GatewayQuality */

/** @typedef {{rule: string, warnings: number, announced: number, lead_h: number | null, false_warnings: number,
 *   false_per_light_month: number | null, enough: boolean, switched_off: boolean, words: string}} RuleScore */

/** @typedef {object} Scores
 * @property {number} commands
 * @property {number | null} brier
 * @property {number | null} skill
 * @property {number | null} calibration_error
 * @property {{least: number, most: number, count: number, predicted: number | null, observed: number | null}[]} bins
 * @property {RuleScore[]} rules
 * @property {number} light_months
 * @property {number} silences
 * @property {number} unannounced
 * @property {string} sentence
 */

/** @typedef {{gateway_id: string, online: boolean, latest: boolean, heard_at: number,
 *   rssi_dbm: number, snr_db: number, margin_db: number}} Hearing */

/** @typedef {{at: number, gateway_id: string, rssi_dbm: number, snr_db: number, f_cnt: number}} SignalPoint */

/** @typedef {{since: number, until: number | null}} Outage */

/** @typedef {{outages: Outage[], observed: {since: number, until: number}[], observed_s: number,
 *   away_s: number, availability: number | null}} History */

/** @typedef {object} Figures
 * @property {number} hours
 * @property {number} commands
 * @property {number} open
 * @property {number} verified
 * @property {number} superseded
 * @property {number} expired
 * @property {number} rejected
 * @property {number} [withdrawn]
 * @property {number | null} success_rate
 * @property {number | null} first_attempt_rate
 * @property {number} frames
 * @property {number | null} frames_per_verified
 * @property {number | null} time_to_verify_p50_s
 * @property {number | null} time_to_verify_p95_s
 * @property {number | null} time_to_verify_p99_s
 */

/** @typedef {{most: number | null, count: number}} Bucket */

/** @typedef {{hours: number, commands: number, verified: number, time_to_verify_s: Bucket[],
 *   attempts_per_success: Bucket[], worst: WorstLight[]}} Reliability */

/** @typedef {{dev_eui: string, name: string, commands: number, verified: number,
 *   failed: number, attempts_per_success: number | null, time_to_verify_p95_s: number | null,
 *   why: string}} WorstLight */

/** @typedef {{scope: string | null, may_read: boolean, may_command: boolean, name?: string, limited?: boolean,
 *   refused?: string[]}} Caller */

/** @typedef {object} Scene in the list
 * @property {string} id
 * @property {string} name
 * @property {boolean} keep
 * @property {number} revision
 * @property {Light[]} colours
 * @property {number} lights
 * @property {number} missing
 */

/** @typedef {object} Hook
 * @property {string} id
 * @property {string} name
 * @property {string} url
 * @property {string[]} kinds
 * @property {string[]} applications
 * @property {string[]} tags
 * @property {string[]} dev_euis
 * @property {boolean} enabled
 * @property {{kind: string, at: number, why: string} | null} stopped
 * @property {number | null} failing_since
 * @property {number} waiting
 * @property {number} delivered
 * @property {number} given_up
 * @property {number | null} last_ok_at
 * @property {number} revision
 */

/** @typedef {{at: number, event_id: string, type: string, attempt: number, status: number | null, error: string | null, took_s: number, answer: string}} HookTry */

/** @typedef {object} Schedule
 * @property {string} id
 * @property {string} name
 * @property {string} cron
 * @property {string} time_zone
 * @property {boolean} own_time_zone
 * @property {string | null} scene_id
 * @property {string | null} scene_name
 * @property {{light: Light} | null} part
 * @property {boolean} keep
 * @property {number} pace_per_min
 * @property {number} failures_most
 * @property {number} late_most_s
 * @property {boolean} enabled
 * @property {number} revision
 * @property {number[]} next
 * @property {{due_at: number, came: string, rollout_id: string | null, reason: string | null} | null} last
 */

/** @typedef {object} Rollout
 * @property {string} id
 * @property {string} name
 * @property {string} state
 * @property {string | null} reason
 * @property {string | null} [reason_code]
 * @property {Values | null} [reason_values]
 * @property {Light} light
 * @property {number} created_at
 * @property {number | null} ended_at
 * @property {number} changed_at
 * @property {number} pace_per_min
 * @property {number} failures_most
 * @property {number} total
 * @property {number} waiting
 * @property {number} open
 * @property {number} verified
 * @property {number} failed
 * @property {number} superseded
 * @property {number} [withdrawn] an older service has none
 * @property {number} removed
 * @property {number} cancelled
 * @property {Light[]} [colours] where its lights are given several
 * @property {string | null} [again_of]
 * @property {string | null} [scene]
 * @property {boolean} [partly] of more lights than the caller may see
 * @property {{dev_eui: string, state: string, command_id: string | null, reason: string | null,
 *   reason_code?: string | null, reason_values?: Values | null, light?: Light}[]} [lights]
 */

/** @typedef {object} PlanHead
 * @property {string} id
 * @property {string} name
 * @property {number} order
 * @property {number} revision
 * @property {{digest: string, media_type: string, width: number, height: number, size_bytes: number} | null} picture
 * @property {number} changed_at
 * @property {string} by
 */

/** @typedef {object} ClusterMember
 * @property {string} boot
 * @property {string} name
 * @property {string} version
 * @property {string} state
 * @property {boolean} answering
 * @property {number} shards
 * @property {boolean} fleet
 * @property {number} lights
 * @property {boolean} sees_network
 * @property {number} clock_ahead_s
 * @property {number} heard_at
 */

/** @typedef {object} ClusterShard
 * @property {string} shard
 * @property {string} state
 * @property {string | null} owner
 * @property {number} epoch
 * @property {number} seq
 * @property {number} lights
 * @property {number} since
 * @property {number | null} behind
 */

/** @typedef {object} ClusterMove
 * @property {number} at
 * @property {string} shard
 * @property {string} why
 * @property {string | null} before
 * @property {string} after
 * @property {number} dark_s
 */

/** @typedef {object} AuditEntry
 * @property {string} id
 * @property {number} at
 * @property {string} by
 * @property {string} scope
 * @property {string} what
 * @property {string} on
 * @property {Record<string, string | number | boolean | null>} detail
 * @property {string} peer
 */

/** @typedef {{entries: AuditEntry[], next_until: number | null}} AuditPage */

/** @typedef {object} ClusterTold
 * @property {"embedded" | "cluster"} mode
 * @property {number} at
 * @property {number | null} looked_at
 * @property {string} answering
 * @property {number} shards_total
 * @property {number} shards_unowned
 * @property {number | null} behind_s
 * @property {number | null} lease_s
 * @property {{kind: string, need: number | null, problem: string | null, warnings: string[], replayed: number, lost: number}} store
 * @property {ClusterMember[]} members
 * @property {ClusterShard[]} shards
 * @property {ClusterMove[]} moves
 */

/** @typedef {{type: "snapshot", number: number, part: number, parts: number, devices: Device[],
 *   gateways: Gateway[], alerts: Alert[], actors: Actor[], rollouts?: Rollout[], plans?: PlanHead[]}} Snapshot */

/** @typedef {{number: number, at: number, kind: string, what: any}} Change */

/** @typedef {{type: "hello", boot: string, number: number, at: number, resumed: boolean, beat_s: number}} Hello */

/** @typedef {Hello | Snapshot | {type: "changes", number: number, changes: Change[]}
 *   | {type: "beat", number: number, at: number} | {type: "pong"}} Message */

export {};
