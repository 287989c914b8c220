"""Pointing HTTP integrations at our webhook without hurting what others put there."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorawan.chirpstack import (
    ChangeKind,
    ChirpStackClient,
    ChirpStackSettings,
    ensure_integration,
    ensure_integrations,
    plan_integration,
)
from lorawan.chirpstack.integration import (
    MASK,
    TOKEN_HEADER,
    masked_url,
    merge_integration,
    split_urls,
)
from lorawan.network import Encoding, HttpIntegration, NetworkFault, NetworkForbidden
from simulation.world.server import GrpcServer
from tests.support.small_network import LIGHT, SmallNetwork, listed, webhook_body

OURS = "http://lamps.example:8000/webhooks/chirpstack"
FOREIGN = "https://other.example/hook?token=their-secret"
SECRET = "Bearer our-secret"
WANTED = HttpIntegration("app", OURS, {"Authorization": SECRET})


def present(
    url: str, headers: dict[str, str] | None = None, encoding: Encoding = Encoding.JSON
) -> HttpIntegration:
    return HttpIntegration("app", url, headers or {}, encoding)


def kinds(current: HttpIntegration | None, wanted: HttpIntegration = WANTED) -> list[ChangeKind]:
    return [change.kind for change in plan_integration(current, wanted)]


def test_where_nothing_is_the_integration_is_created() -> None:
    assert kinds(None) == [ChangeKind.CREATE]
    assert merge_integration(None, WANTED) == WANTED


def test_where_all_is_well_nothing_changes() -> None:
    assert plan_integration(WANTED, WANTED) == []


def test_a_foreign_url_stays_first_and_ours_is_added() -> None:
    current = present(f" {FOREIGN} ", WANTED.headers)
    assert kinds(current) == [ChangeKind.ADD_URL]
    assert merge_integration(current, WANTED).event_endpoint_url == f"{FOREIGN},{OURS}"


@pytest.mark.parametrize(
    "stale",
    [
        OURS.replace("http:", "https:"),
        OURS + "/",
        OURS + "?old=token",
        "http://user:word@lamps.example:8000/webhooks/chirpstack",
        OURS.replace("lamps", "LAMPS"),
    ],
)
def test_our_url_in_another_spelling_is_corrected_in_its_place(stale: str) -> None:
    current = present(f"{stale}, {FOREIGN}", WANTED.headers)
    assert kinds(current) == [ChangeKind.CORRECT_URL]
    assert merge_integration(current, WANTED).event_endpoint_url == f"{OURS},{FOREIGN}"


def test_our_url_twice_would_send_every_event_twice() -> None:
    current = present(f"{OURS},{OURS}", WANTED.headers)
    assert kinds(current) == [ChangeKind.CORRECT_URL]
    assert merge_integration(current, WANTED) == WANTED


def test_another_path_on_our_host_is_foreign() -> None:
    other = "http://lamps.example:8000/metrics"
    assert kinds(present(other, WANTED.headers)) == [ChangeKind.ADD_URL]


def test_foreign_headers_stay_and_ours_is_set_in_any_case() -> None:
    current = present(OURS, {"X-Other": "theirs", "authorization": "Bearer old"})
    assert kinds(current) == [ChangeKind.SET_HEADER]
    assert merge_integration(current, WANTED).headers == {
        "X-Other": "theirs",
        "Authorization": SECRET,
    }


def test_the_encoding_is_ours_where_we_are_alone() -> None:
    current = present(OURS, WANTED.headers, Encoding.PROTOBUF)
    assert kinds(current) == [ChangeKind.SET_ENCODING]
    assert merge_integration(current, WANTED).encoding is Encoding.JSON


def test_the_encoding_that_others_depend_on_stays() -> None:
    current = present(f"{FOREIGN},{OURS}", WANTED.headers, Encoding.PROTOBUF)
    assert plan_integration(current, WANTED) == []


def test_no_secret_shows_in_a_change() -> None:
    wanted = HttpIntegration("app", OURS + "?key=our-key", {"Authorization": SECRET})
    for current in (
        None,
        present(FOREIGN, {"Authorization": "Bearer old-secret"}),
        present("http://me:pass-word@lamps.example:8000/webhooks/chirpstack?key=old-key"),
    ):
        text = " ".join(change.text for change in plan_integration(current, wanted))
        assert MASK in text or current is None
        for secret in ("our-secret", "their-secret", "old-secret", "pass-word", "-key"):
            assert secret not in text


def test_a_header_that_others_get_to_see_says_so() -> None:
    changes = plan_integration(present(FOREIGN), WANTED)
    header = next(change for change in changes if change.kind is ChangeKind.SET_HEADER)
    assert "shared with https://other.example/hook" in header.text


@pytest.mark.parametrize(
    "url",
    ["", "lamps.example/hook", "ftp://lamps/hook", "http://a/b,c", "http://a/b c", "http://["],
)
def test_a_url_that_cannot_work_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|comma"):
        plan_integration(None, HttpIntegration("app", url, {}))


def test_a_mangled_foreign_url_stays_and_is_masked() -> None:
    current = present("http://[,x", WANTED.headers)
    assert merge_integration(current, WANTED).event_endpoint_url == f"http://[,x,{OURS}"
    assert masked_url("http://[") == MASK


urls = st.sampled_from(
    [OURS, OURS + "/", OURS + "?a=b", FOREIGN, "http://third.example/", "http://[", "junk"]
)


@given(
    st.lists(urls, max_size=4),
    st.dictionaries(st.sampled_from(["Authorization", "authorization", "X"]), st.text(max_size=3)),
    st.sampled_from(list(Encoding)),
)
def test_a_second_run_finds_nothing_to_do_and_nothing_foreign_is_lost(
    present_urls: list[str], headers: dict[str, str], encoding: Encoding
) -> None:
    current = present(",".join(present_urls), headers, encoding)
    merged = merge_integration(current, WANTED)
    assert plan_integration(merged, WANTED) == []
    assert (plan_integration(current, WANTED) == []) == (
        split_urls(current.event_endpoint_url) == split_urls(merged.event_endpoint_url)
        and current.headers == merged.headers
        and current.encoding is merged.encoding
    )
    after = split_urls(merged.event_endpoint_url)
    assert after.count(OURS) == 1
    foreign = [url for url in present_urls if not url.startswith(OURS)]
    assert [url for url in after if url != OURS] == foreign
    assert SECRET in merged.headers.values() or merged.headers[TOKEN_HEADER] == "our-secret"
    assert merged.headers.get("X") == headers.get("X")
    alone = set(present_urls) and all(url.startswith(OURS) for url in present_urls)
    for name, value in headers.items():
        if value.strip() and not (alone and value.lower().startswith("bearer ")):
            assert merged.headers[name] == value, "what somebody else wrote there stays"


# From the field: an ERP system's endpoint beside ours, in the one integration of the application.
ERP = "https://erp.example.org/hook"
LAMP = "https://lamp.example.org/api/v1/webhooks/chirpstack"
MINE = HttpIntegration("app", LAMP, {"Authorization": "Bearer our-webhook-token"})


def test_a_foreign_authorization_stays_and_our_token_gets_a_header_of_its_own() -> None:
    current = present(ERP, {"Authorization": "Basic ZXJwOnNlY3JldA=="})
    merged = merge_integration(current, MINE)
    assert merged.headers == {
        "Authorization": "Basic ZXJwOnNlY3JldA==",
        TOKEN_HEADER: "our-webhook-token",
    }
    assert merged.event_endpoint_url == f"{ERP},{LAMP}"
    texts = [change.text for change in plan_integration(current, MINE)]
    assert not [text for text in texts if "header Authorization" in text]
    assert f"set header {TOKEN_HEADER} to {MASK} (shared with {ERP})" in texts
    assert plan_integration(merged, MINE) == []


@pytest.mark.parametrize(
    "value", ["Bearer their-token", "bearer x", "Token y", "Basic eDp5", "anything"]
)
def test_no_authorization_of_a_shared_integration_is_taken_for_ours(value: str) -> None:
    for name in ("Authorization", "authorization"):
        merged = merge_integration(present(f"{ERP},{LAMP}", {name: value}), MINE)
        assert merged.headers == {name: value, TOKEN_HEADER: "our-webhook-token"}


def test_a_proxys_authorization_stays_also_where_our_url_is_the_only_one() -> None:
    merged = merge_integration(present(LAMP, {"Authorization": "Basic cHJveHk6cHc="}), MINE)
    assert merged.headers["Authorization"] == "Basic cHJveHk6cHc="
    assert merged.headers[TOKEN_HEADER] == "our-webhook-token"


def test_an_older_token_of_ours_is_replaced_also_in_a_shared_integration() -> None:
    current = present(f"{ERP},{LAMP}", {"Authorization": "Bearer our-older-token"})
    merged = merge_integration(current, MINE, ["our-webhook-token", "our-older-token"])
    assert merged.headers == MINE.headers


def test_our_own_header_is_replaced_in_its_place() -> None:
    headers = {"X-First": "1", "x-lamplighter-token": "old", "Authorization": "Basic a", "Z": "2"}
    merged = merge_integration(present(f"{ERP},{LAMP}", headers), MINE)
    assert list(merged.headers.items()) == [
        ("X-First", "1"),
        (TOKEN_HEADER, "our-webhook-token"),
        ("Authorization", "Basic a"),
        ("Z", "2"),
    ]


@pytest.mark.parametrize("url", ["https://user:word@erp.example.org/hook", ""])
def test_a_user_in_a_url_is_an_authorization_too(url: str) -> None:
    """ChirpStack's client makes one of it, unless the integration has one."""
    ours = LAMP if url else LAMP.replace("https://", "https://user:word@")
    wanted = HttpIntegration("app", ours, MINE.headers)
    for current in (present(url) if url else present(ours), present(url) if url else None):
        merged = merge_integration(current, wanted)
        assert merged.headers == {TOKEN_HEADER: "our-webhook-token"}


@pytest.mark.parametrize(
    "stale",
    [
        "https://lamp.example.org:443/api/v1/webhooks/chirpstack",
        "http://lamp.example.org:80/api/v1/webhooks/chirpstack//",
        "https://LAMP.example.org/api/v1/webhooks/chirpstack?event=up",
    ],
)
def test_more_spellings_of_our_url_are_replaced_not_doubled(stale: str) -> None:
    merged = merge_integration(present(f"{stale},{ERP}", MINE.headers), MINE)
    assert merged.event_endpoint_url == f"{LAMP},{ERP}"


def test_our_address_of_before_we_moved_is_replaced_where_the_token_shows_that_it_was_ours() -> (
    None
):
    old = "http://10.0.0.7:8090/api/v1/webhooks/chirpstack/"
    current = present(f"{ERP},{old}", MINE.headers)
    merged = merge_integration(current, MINE)
    assert merged.event_endpoint_url == f"{ERP},{LAMP}"
    assert f"replace {old} by {LAMP}" in [each.text for each in plan_integration(current, MINE)]
    foreign = merge_integration(present(f"{ERP},{old}", {"Authorization": "Bearer theirs"}), MINE)
    assert foreign.event_endpoint_url == f"{ERP},{old},{LAMP}", "another Lamplighter's, perhaps"


def test_another_lamplighter_beside_ours_stays_when_ours_is_set_up_again() -> None:
    other = "https://staging.example.org/api/v1/webhooks/chirpstack"
    current = present(f"{other},{LAMP}", MINE.headers)
    assert plan_integration(current, MINE) == []
    two = present(f"{other},http://10.0.0.7:8090/api/v1/webhooks/chirpstack", MINE.headers)
    assert merge_integration(two, MINE).event_endpoint_url.count("chirpstack") == 3


class TestAgainstAServer:
    @pytest.fixture
    async def server(self) -> AsyncIterator[GrpcServer]:
        network = SmallNetwork()
        network.listed = [
            listed(LIGHT, application="one"),
            listed("02" * 8, application="two"),
            listed("03" * 8, application="two"),
            listed("04" * 8, application="three", profile="Thermometer"),
        ]
        async with GrpcServer(
            network, api_key="k", read_only_key="look", render=webhook_body
        ) as server:
            yield server

    @pytest.fixture
    async def client(self, server: GrpcServer) -> AsyncIterator[ChirpStackClient]:
        settings = ChirpStackSettings(target=f"127.0.0.1:{server.port}", api_key="k")
        async with ChirpStackClient(settings) as client:
            yield client

    async def test_a_dry_run_changes_nothing(self, client: ChirpStackClient) -> None:
        changes = await ensure_integration(client, "application-one", WANTED, dry_run=True)
        assert [change.kind for change in changes] == [ChangeKind.CREATE]
        assert changes[0].application_id == "application-one"
        assert await client.http_integration("application-one") is None

    async def test_the_second_run_does_nothing(self, client: ChirpStackClient) -> None:
        assert await ensure_integration(client, "application-one", WANTED)
        assert await ensure_integration(client, "application-one", WANTED) == []
        kept = await client.http_integration("application-one")
        assert kept is not None
        assert (kept.event_endpoint_url, kept.headers) == (OURS, WANTED.headers)

    async def test_what_was_there_is_updated(self, client: ChirpStackClient) -> None:
        theirs = HttpIntegration("application-one", FOREIGN, {"X": "y"})
        await client.create_http_integration(theirs)
        changes = await ensure_integration(client, "application-one", WANTED)
        assert [change.kind for change in changes] == [ChangeKind.ADD_URL, ChangeKind.SET_HEADER]
        kept = await client.http_integration("application-one")
        assert kept is not None
        assert kept.event_endpoint_url == f"{FOREIGN},{OURS}"
        assert kept.headers == {"X": "y", "Authorization": SECRET}

    async def test_every_application_with_a_light_is_set_up(self, client: ChirpStackClient) -> None:
        changes = await ensure_integrations(client, "kuando", WANTED)
        assert [change.application_id for change in changes] == [
            "application-one",
            "application-two",
        ]
        assert await client.http_integration("application-three") is None
        assert await ensure_integrations(client, "kuando", WANTED) == []

    async def test_a_read_only_key_may_look_but_not_change(self, server: GrpcServer) -> None:
        settings = ChirpStackSettings(target=f"127.0.0.1:{server.port}", api_key="look")
        async with ChirpStackClient(settings) as client:
            assert await ensure_integration(client, "application-one", WANTED, dry_run=True)
            with pytest.raises(NetworkForbidden, match="read-only"):
                await ensure_integration(client, "application-one", WANTED)

    async def test_a_server_that_forgets_is_found_out(
        self, client: ChirpStackClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def forget(_integration: HttpIntegration) -> None:
            return

        monkeypatch.setattr(client, "create_http_integration", forget)
        with pytest.raises(NetworkFault, match="did not keep it"):
            await ensure_integration(client, "application-one", WANTED)
