"""The cluster for Prometheus, as this process sees it.

Summing over processes makes sense of what is here alone (`_here`, `behind`); the rest is the same
picture from every process, and differs where one is cut off.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from actors.cluster.keeper.view import ClusterView, Here, MemberSign, Owned, Why
from actors.metrics.families import PREFIX, gauges, statistics_of
from store.engine.shards import FLEET


def cluster_metrics(
    view: ClusterView,
    *,
    behind: Sequence[int | None],
    behind_s: float | None,
    silent_s: float | None,
    moves: Mapping[Why, int],
    counted: Mapping[str, object],
) -> Iterator[Metric]:
    """Every family, now. What is not known has no sample, rather than a zero."""
    signs = Counter(one.sign for one in view.members)
    members = gauges("cluster_members", "Processes by what is known of them.", "state")
    for sign in MemberSign:
        members.add_metric([sign.value], signs[sign])
    yield members
    states = Counter(one.owned for one in view.shards)
    shards = gauges("cluster_shards", "Parts of the fleet by whether they have an owner.", "state")
    for state in Owned:
        shards.add_metric([state.value], states[state])
    yield shards
    ours = [one.shard for one in view.shards if one.here is not Here.ELSEWHERE]
    yield _gauge("shards_here", "Parts of the fleet that this process owns.", len(ours))
    text = "1 where this process hands downlinks to ChirpStack."
    yield _gauge("fleet_here", text, float(FLEET in ours))
    known = [count for count in behind if count is not None]
    if known:
        text = "Commits of others that this process has not shown yet."
        yield _gauge("behind_commits", text, sum(known))
    if behind_s is not None:
        yield _gauge(
            "behind_seconds", "How old at most what this process shows of others may be.", behind_s
        )
    if silent_s is not None:
        yield _gauge("engine_silent_seconds", "Since the engine answered last.", silent_s)
    total = CounterMetricFamily(
        f"{PREFIX}_cluster_moves", "Changes of owner that this process saw.", labels=["why"]
    )
    for why in Why:
        total.add_metric([why.value], moves.get(why, 0))
    yield total
    for part, statistics in counted.items():
        yield from statistics_of(f"cluster_{part}", statistics)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_cluster_{name}", text, value=value)
