"""Carries webhooks to the service: some are lost, doubled, late or out of order.

Like ChirpStack's integrations it posts each event once, without a retry and without any promise of
order. What is lost here stays in the server's retained events.
"""

from collections import Counter
from collections.abc import Callable

from lorawan.events.model import Event
from simulation.world.chance import Chance
from simulation.world.kernel import Kernel
from simulation.world.observer import NOBODY, Observer
from simulation.world.profile import Profile

Sink = Callable[[Event], None]
"""Takes one event, synchronously and without waiting."""


class WebhookDelivery:
    """Carries events to `sink`; None drops them. `counts` says what became of them."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        chance: Chance,
        profile: Profile,
        sink: Sink | None = None,
    ) -> None:
        self.sink = sink
        self.stream: Sink | None = None
        """Takes every event as it is made: the server's own stream, which loses none on the way."""
        self.profile = profile
        self.counts: Counter[str] = Counter()
        self.observer: Observer = NOBODY
        self._kernel = kernel
        self._rng = chance.each("webhook")

    def send(self, event: Event) -> None:
        """One event leaves the server; it arrives never, once or twice, now or minutes later."""
        profile, rng = self.profile, self._rng[event.device.dev_eui]
        self.observer.event_made(event)
        if self.stream is not None:
            self.stream(event)
        self.counts["sent"] += 1
        if profile.event_lost and rng.random() < profile.event_lost:
            self.counts["lost"] += 1
            return
        copies = 1
        if profile.event_doubled and rng.random() < profile.event_doubled:
            self.counts["doubled"] += 1
            copies = 2
        for _ in range(copies):
            delay_s = rng.uniform(*profile.event_latency_s)
            if profile.event_late and rng.random() < profile.event_late:
                self.counts["late"] += 1
                delay_s += rng.uniform(*profile.event_late_s)
            self._kernel.after(delay_s, self._arrive, event)

    def _arrive(self, event: Event) -> None:
        self.counts["arrived"] += 1
        if self.sink is not None:
            self.observer.webhook_arrived(event)
            self.sink(event)
