"""What is shown of the processes, their store, and what they exchange with others."""

from docs.generate.grafana.panel import (
    HERE,
    Ask,
    Kind,
    Panel,
    Row,
    each,
    fleet,
    grown,
    per_second,
    quantile,
)

SERVICE = Row(
    "Service",
    [
        Panel(
            title="Ready",
            says="1 while /readyz says so: the store can be written, ChirpStack answers, no part "
            "is down.",
            asks=[Ask(each("ready", "instance", over="min"), "{{instance}}")],
            kind=Kind.STATES,
            alarm=1.0,
            falling=True,
        ),
        Panel(
            title="Store",
            says="1 while the store can be written; no command is accepted otherwise.",
            asks=[Ask(each("journal_healthy", "instance", over="min"), "{{instance}}")],
            kind=Kind.STATES,
            alarm=1.0,
            falling=True,
        ),
        Panel(
            title="Version",
            says="What each process runs.",
            asks=[Ask(each("build_info", "instance, version"), "{{instance}} {{version}}")],
            kind=Kind.STATES,
        ),
        Panel(
            title="Time of a commit",
            says="Until what happened is durable; nothing is told before.",
            asks=[
                Ask(quantile(0.5, "journal_commit_seconds"), "p50"),
                Ask(quantile(0.99, "journal_commit_seconds"), "p99"),
            ],
            unit="s",
            warn=0.1,
            alarm=1.0,
        ),
        Panel(
            title="Requests to the store",
            says="A second, in how many transactions, and how many had to be repeated.",
            asks=[
                Ask(per_second("journal_requests_total"), "requests"),
                Ask(per_second("journal_commits_total"), "transactions"),
                Ask(per_second("journal_failures_total"), "repeated"),
            ],
            unit="reqps",
        ),
        Panel(
            title="Waiting for the store",
            says="Requests; 4,096 is the bound.",
            asks=[Ask(each("journal_waiting", "instance"), "{{instance}}")],
            warn=512.0,
            alarm=3_000.0,
        ),
        Panel(
            title="HTTP",
            says="Answers a second, by status.",
            asks=[Ask(per_second("http_requests_total", "status"), "{{status}}")],
            unit="reqps",
            stacked=True,
        ),
        Panel(
            title="Events from ChirpStack",
            says="A second, by what became of them; and those that only asking told.",
            asks=[
                Ask(per_second("deliveries_total", "outcome"), "{{outcome}}"),
                Ask(per_second("events_missed_total"), "missed"),
            ],
            unit="cps",
        ),
        Panel(
            title="ChirpStack's stream of events",
            says="Age of the newest entry when it was read, where the stream is read.",
            asks=[Ask(each("event_stream_lag_s", "instance", over="max"), "{{instance}}")],
            unit="s",
            warn=5.0,
            alarm=60.0,
        ),
        Panel(
            title="Processor",
            says="Cores in use.",
            asks=[
                Ask(f"rate(process_cpu_seconds_total{{{HERE}}}[$__rate_interval])", "{{instance}}")
            ],
            warn=0.7,
            alarm=0.9,
        ),
        Panel(
            title="Memory",
            says="Resident.",
            asks=[Ask(f"process_resident_memory_bytes{{{HERE}}}", "{{instance}}")],
            unit="bytes",
        ),
        Panel(
            title="Pauses",
            says="Of the garbage collector, and how late timers fired at worst.",
            asks=[
                Ask(quantile(0.99, "gc_pause_seconds"), "collector p99"),
                Ask(each("timers_late_s_max", "instance", over="max"), "timers {{instance}}"),
            ],
            unit="s",
        ),
        Panel(
            title="Actors",
            says="Restarts within the hour before, by kind of actor; actors that do not run now.",
            asks=[
                Ask(grown("actor_restarts_total", "actor"), "restarts {{actor}}"),
                Ask(fleet("actors_unwell", "state"), "{{state}}"),
                Ask(grown("dead_letters_total"), "dead letters"),
            ],
            warn=1.0,
        ),
        Panel(
            title="Live readers",
            says="Websockets and others that follow the board.",
            asks=[Ask(each("subscribers", "instance"), "{{instance}}")],
        ),
        Panel(
            title="MQTT",
            says="1 while the bridge is connected to its broker, where there is one.",
            asks=[Ask(fleet("mqtt_connected"), "connected")],
            kind=Kind.STATES,
            alarm=1.0,
            falling=True,
        ),
        Panel(
            title="Hooks",
            says="What waits to be posted, and hooks whose receiver takes nothing or that stopped.",
            asks=[
                Ask(fleet("hooks_waiting"), "waiting"),
                Ask(fleet("hooks_failing"), "failing"),
                Ask(fleet("hooks_stopped"), "stopped"),
            ],
        ),
    ],
)

CLUSTER = Row(
    "Cluster (several processes)",
    [
        Panel(
            title="Processes",
            says="By what is known of them, as each process sees it: the greatest.",
            asks=[Ask(fleet("cluster_members", "state"), "{{state}}")],
            stacked=True,
        ),
        Panel(
            title="Parts of the fleet by owner",
            says="65 in all: 64 parts of the lights, and what concerns the fleet as a whole.",
            asks=[Ask(each("cluster_shards_here", "instance"), "{{instance}}")],
            stacked=True,
        ),
        Panel(
            title="Parts without owner",
            says="Nobody sees to their lights; commands for them are accepted and wait.",
            asks=[
                Ask(
                    "min(sum by (instance) "
                    f'(lamplighter_cluster_shards{{{HERE}, state!="owned"}}))',
                    "without owner",
                )
            ],
            warn=1.0,
        ),
        Panel(
            title="Behind the others",
            says="How old at most what a process shows of the others may be.",
            asks=[Ask(each("cluster_behind_seconds", "instance"), "{{instance}}")],
            unit="s",
            warn=1.0,
            alarm=5.0,
        ),
        Panel(
            title="Engine silent",
            says="Since the Redis or Valkey that the processes share answered last.",
            asks=[Ask(each("cluster_engine_silent_seconds", "instance"), "{{instance}}")],
            unit="s",
            warn=5.0,
            alarm=15.0,
        ),
        Panel(
            title="Changes of owner",
            says="Within the hour before, as the process saw them that saw most.",
            asks=[
                Ask(
                    f"max by (why) (increase(lamplighter_cluster_moves_total{{{HERE}}}[1h]))",
                    "{{why}}",
                )
            ],
        ),
    ],
)
