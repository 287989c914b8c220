"""When it is said that ChirpStack's webhooks stopped, and when not."""

import pytest

from actors.device.model import Device
from actors.webhook_watch import APPLICATIONS_MOST, QUIET_S, STARTING_S, WebhookWatch
from lorawan.events.model import DeviceInfo


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.stepped_s = 0.0

    def now(self) -> float:
        return 1_700_000_000.0 + self.elapsed + self.stepped_s

    def steady(self) -> float:
        return 1_700_000_000.0 + self.elapsed

    def look(self) -> None:
        """Nothing to take in."""


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def watch(time: Time) -> WebhookWatch:
    made = WebhookWatch(time)  # type: ignore[arg-type]
    time.elapsed = STARTING_S + 10.0
    return made


def light(dev_eui: str = "a1", application: str = "app") -> Device:
    return Device(dev_eui=dev_eui, application_id=application, application_name="lamps")


def info(dev_eui: str = "a1", application: str = "app") -> DeviceInfo:
    return DeviceInfo(dev_eui=dev_eui, application_id=application, application_name="lamps")


def test_three_events_that_only_an_inquiry_told_and_a_minute_without_a_webhook(
    watch: WebhookWatch, time: Time
) -> None:
    watch.missed(light("a1"), [time.now(), time.now()])
    watch.missed(light("a2"), [time.now()])
    assert watch.warnings() == []
    time.elapsed += QUIET_S
    (told,) = [one for one in watch.findings() if one.holds]
    assert (told.kind, told.subject) == ("webhooks_missing", "app")
    assert "application lamps" in told.text
    assert "3 events of 2 lights" in told.text
    assert "lamplighter setup" in told.text
    assert watch.warnings() == [told.text]
    assert watch.statistics().missing == 1
    watch.told(info())
    (told,) = watch.findings()
    assert not told.holds
    assert watch.warnings() == []
    assert watch.events_missed == 3


def test_single_lost_webhooks_are_counted_and_no_alert(watch: WebhookWatch, time: Time) -> None:
    for _ in range(50):
        watch.missed(light(), [time.now(), time.now()])
        time.elapsed += QUIET_S * 2
        assert watch.warnings() == []
        watch.told(info())
        time.elapsed += 1.0
    assert watch.events_missed == 100


def test_what_happened_before_the_newest_webhook_was_a_single_loss(
    watch: WebhookWatch, time: Time
) -> None:
    lost_at = time.now()
    time.elapsed += 5.0
    watch.told(info())
    watch.missed(light(), [lost_at] * 5)
    time.elapsed += 600.0
    assert watch.warnings() == []


def test_what_happened_while_the_service_was_down_counts_for_nothing(
    watch: WebhookWatch, time: Time
) -> None:
    before = time.now() - STARTING_S - 11.0
    watch.missed(light(), [before - 3_600.0, before, before + STARTING_S - 1.0])
    time.elapsed += 3_600.0
    assert (watch.warnings(), watch.events_missed) == ([], 0)


def test_what_happened_while_the_host_slept_counts_for_nothing(
    watch: WebhookWatch, time: Time
) -> None:
    watch.missed(light(), [time.now()])
    time.elapsed += 7_200.0
    watch.slept()
    watch.missed(light(), [time.now() - 3_600.0, time.now() - 5.0])
    time.elapsed += 600.0
    assert watch.warnings() == []


@pytest.mark.parametrize("step_s", [-3_600.0, 3_600.0])
def test_a_clock_that_is_set_says_nothing_of_webhooks(
    watch: WebhookWatch, time: Time, step_s: float
) -> None:
    watch.missed(light(), [time.now()] * 3)
    time.stepped_s = step_s
    assert watch.warnings() == []
    time.elapsed += QUIET_S
    assert len(watch.warnings()) == 1
    watch.told(info())
    time.elapsed += 1.0
    watch.missed(light(), [time.now()] * 3)
    time.elapsed += QUIET_S
    assert len(watch.warnings()) == 1


def test_webhooks_of_another_application_do_not_hide_it(watch: WebhookWatch, time: Time) -> None:
    watch.missed(light("a1", "one"), [time.now()] * 3)
    time.elapsed += QUIET_S
    watch.told(info("b1", "two"))
    assert {one.subject: one.holds for one in watch.findings()} == {"one": True, "two": False}


def test_only_so_many_applications_are_watched(watch: WebhookWatch) -> None:
    for number in range(2 * APPLICATIONS_MOST):
        watch.told(info("a1", f"application-{number}"))
    assert len(list(watch.findings())) == APPLICATIONS_MOST
