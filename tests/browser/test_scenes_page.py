"""Scenes and schedules: saved from lights, applied, timed, in the browser."""

from playwright.sync_api import expect

from actors.replace import replace
from actors.scenes.edits import Kit
from actors.scenes.model import Came, Part, Run, Scene, Schedule
from lorawan.kuando.light_state import LightState
from tests.browser.conftest import Open, Serve
from tests.browser.looks import go, live
from tests.browser.office import eui
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW

RED = LightState(255, 0, 0)


def some_scenes() -> Kit:
    """One with a light that is gone, and a schedule that missed its time."""
    scene = Scene(
        id="night",
        name="Night",
        parts=(Part(RED, (eui(1), "ffffffffffffffff")), Part(LightState(0, 0, 255), tag="floor=2")),
        created_at=NOW,
        changed_at=NOW,
    )
    missed = Run(due_at=NOW - 9_000, at=NOW, came=Came.MISSED, reason="it was over for too long")
    schedule = Schedule(
        id="s",
        name="Evening",
        cron="0 18 * * 1-5",
        scene_id="night",
        created_at=NOW,
        changed_at=NOW,
        mark=NOW,
        last=missed,
    )
    return Kit({"night": scene}, {"s": schedule})


def test_lights_are_saved_as_a_scene_which_is_applied_and_timed(serve: Serve, visit: Open) -> None:
    service = serve()
    kept = service.application.scenes
    page, _ = visit(service.url)
    live(page)
    page.get_by_label("Find a light").fill("desk")
    page.get_by_label("Select Desk 1", exact=True).check()
    page.get_by_role("button", name="Save as scene…").click()
    dialog = page.get_by_role("dialog", name="Save 1 light as a scene")
    dialog.get_by_label("Name").fill("One desk")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    go(page, "?view=scenes")
    [scene] = kept.scenes.values()
    assert [part.dev_euis for part in scene.parts] == [(eui(1),)]
    card = page.locator(f"[data-scene='{scene.id}']")
    expect(card).to_contain_text("1 light would be set now.")

    page.get_by_role("button", name="New schedule…").click()
    form = page.get_by_role("dialog", name="New schedule")
    form.get_by_label("Name").fill("Evening")
    form.get_by_role("button", name="Save").click()
    timed = page.locator("[data-schedule]")
    expect(timed.locator(".next-times li")).to_have_count(5)
    expect(timed).to_contain_text("scene One desk, at 0 18 * * 1-5 (Europe/Berlin)")
    timed.get_by_role("button", name="Disable").click()
    expect(timed.get_by_role("button", name="Enable")).to_be_visible()
    expect(timed.locator(".next-times li")).to_have_count(0)
    timed.get_by_role("button", name="Remove").click()
    expect(timed).to_have_count(0)

    card.get_by_role("button", name="Apply").click()
    apply = page.get_by_role("dialog", name="Apply One desk")
    apply.get_by_label("Lights a minute").fill("60")
    expect(apply).to_contain_text("1 light, about 1.0 s")
    apply.get_by_role("button", name="Apply").click()
    expect(apply).to_be_hidden()
    assert "view=rollouts" in page.url
    [order] = service.application.rollouts.orders
    assert (order.scene, order.pace_per_min, order.dev_euis) == ("One desk", 60.0, (eui(1),))


def test_what_somebody_changed_meanwhile_is_not_removed(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    kit = some_scenes()
    application.scenes.kit = Kit(kit.scenes, {})
    service = serve(application)
    page, watcher = visit(service.url + "?view=scenes")
    watcher.expected = ("412",)
    card = page.locator("[data-scene='night']")
    expect(card).to_contain_text("1 light that it names is known no longer")
    newer = replace(kit.scenes["night"], name="Late night", revision=2)
    application.scenes.kit = Kit({"night": newer}, {})
    card.get_by_role("button", name="Remove").click()
    expect(card).to_contain_text("Somebody else changed it meanwhile")
    expect(card.get_by_role("heading")).to_have_text("Late night")
    card.get_by_role("button", name="Remove").click()
    expect(card).to_have_count(0)


def test_a_missed_time_is_told_in_german_too(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    application.scenes.kit = some_scenes()
    page, _ = visit(serve(application).url + "?view=scenes", locale="de-DE")
    timed = page.locator("[data-schedule='s']")
    expect(timed).to_contain_text("Verpasst")
    expect(timed.get_by_role("button", name="Ausschalten")).to_be_visible()
