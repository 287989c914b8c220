"""A URL of which any part is not understood is refused in words, and never with its password."""

import pytest
import redis

from store.engine.open import engine_from_url, is_shared
from store.engine.redis.target import Kind, Target
from store.engine.redis.tls_or_not import other_way, refused_certificate
from store.engine.redis.url import target_of
from store.errors import StoreRefused
from store.open import check_url


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("redis://h", Target(kind=Kind.SERVER, addresses=(("h", 6379),))),
        (
            "redis://u:p%40@[::1]:7000/2?prefix=a&need=1",
            Target(
                kind=Kind.SERVER,
                addresses=(("::1", 7000),),
                username="u",
                password="p@",
                database=2,
                prefix="a",
                need=1,
            ),
        ),
        (
            "unix:///run/r.sock?db=1&unsafe=yes",
            Target(kind=Kind.SERVER, socket_path="/run/r.sock", database=1, unsafe=True),
        ),
        (
            "redis+sentinel://:p@h1,h2:7001/fleet/3?sentinel_username=s&sentinel_password=q",
            Target(
                kind=Kind.SENTINEL,
                addresses=(("h1", 26379), ("h2", 7001)),
                master="fleet",
                password="p",
                sentinel_username="s",
                sentinel_password="q",
                database=3,
                need=1,
            ),
        ),
        (
            "rediss+cluster://h1:7000,h2?need=2&ssl_ca_certs=/ca.pem",
            Target(
                kind=Kind.CLUSTER,
                addresses=(("h1", 7000), ("h2", 6379)),
                tls=True,
                tls_files={"ssl_ca_certs": "/ca.pem"},
                need=2,
            ),
        ),
        (
            "redis+cluster://h?need=0&unsafe=yes",
            Target(kind=Kind.CLUSTER, addresses=(("h", 6379),), unsafe=True),
        ),
    ],
)
def test_what_a_url_names(url: str, target: Target) -> None:
    assert is_shared(url)
    assert target_of(url) == target
    check_url(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///a.db", "expected one of redis://"),
        ("redis://", "names no host"),
        ("redis://h1,h2", "several hosts"),
        ("redis://h:0", "host or host:port"),
        ("redis://h:port", "host or host:port"),
        ("redis://redis..lan:6379", "has 1 to 63 characters"),
        (f"redis+sentinel://h1,{'h' * 64}.lan/m", "has 1 to 63 characters"),
        ("redis+cluster://.", "has 1 to 63 characters"),
        ("redis://h/name", "not a number"),
        ("redis://h?need=many", "need is a number from 0 to 5"),
        ("redis://h?need=6", "need is a number from 0 to 5"),
        ("redis://h?unsafe=1", "unsafe is yes or no"),
        ("redis://h?prefix=a&prefix=b", "stands twice"),
        ("redis://h?prefix", "name=value"),
        ("redis://h?timeout=1", "unknown option 'timeout'; known: need, prefix, unsafe"),
        ("redis://h?ssl_ca_certs=/a", "TLS is rediss://"),
        ("redis+sentinel://h/m?ssl_ca_certs=/a", "TLS is rediss+sentinel://"),
        ("rediss://h?ssl_certfile=/a", "belong together"),
        ("redis://u:secret word@h", "holds a blank"),
        ("redis://u:secret#ss@h", "write # as %23"),
        ("redis://u:secret/x@h", "as %xx"),
        ("redis://u:x?secret=x@h", "as %xx"),
        ("redis://[::1", "cannot be read"),
        ("redis+sentinel://h", "names no master"),
        ("redis+sentinel://h/m?need=0", "add unsafe=yes"),
        ("redis+cluster://h?need=0", "add unsafe=yes"),
        ("redis+cluster://h/1", "database 0 only"),
        ("unix://", "names no socket"),
    ],
)
def test_what_is_not_understood_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(StoreRefused) as refused:
        target_of(url)
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_name_that_a_server_announces_and_that_is_none_is_as_one_that_is_away() -> None:
    announced = ("redis..lan", 6379)
    for scheme in ("redis", "rediss"):
        with pytest.raises(redis.ConnectionError, match=r"redis\.\.lan"):
            target_of(f"{scheme}+cluster://h").connected(announced)
        assert other_way([announced], f"{scheme}+cluster") is None
    assert refused_certificate([announced], {}) is None


def test_the_settings_stand_where_the_url_does_not_say() -> None:
    assert target_of("redis://h", need=2, unsafe=True).need == 2
    assert target_of("redis://h?need=1&unsafe=no", need=2, unsafe=True).need == 1
    assert not target_of("redis://h?need=1&unsafe=no", need=2, unsafe=True).unsafe
    with pytest.raises(StoreRefused, match="unsafe"):
        target_of("redis+cluster://h", need=0)


def test_a_prefix_has_no_braces() -> None:
    with pytest.raises(StoreRefused, match="braces"):
        engine_from_url("redis://h?prefix={a}")


@pytest.mark.parametrize("url", ["memory:", "sqlite:///a.db"])
def test_a_store_of_one_process_is_no_engine(url: str) -> None:
    assert not is_shared(url)
    check_url(url)
