"""Odd values for every setting, and odd ways to write a settings file: lists and strategies.

A table or key added to the settings is drawn without being named here, because the keys are read
from the settings themselves.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from api.settings.model import ApiSettings
from api.settings.values import policy_table

RIGHT = {"chirpstack": {"target": "localhost:8080", "api_key": "k"}, "store": {"url": "memory:"}}
OPERATOR, WEBHOOK = "operator-token-0123456789abcdef", "webhook-token-0123456789abcdef"

TEXTS = (
    *("", " ", "\t", "x", "0", "-1", "1", "1.5", "1e3", "1e999", "nan", "inf", "-inf", "true"),
    *("null", "[]", "{}", '["a"]', "a,b", ",", ",,", "a b", "\n", "a\nb", "\0", "\x1b[31mred"),
    *("ä", "💡", "\ud800", "٣", "x" * 300, "9" * 5_000, "-" * 70, "%20", "%s", "{x}", "$HOME"),
    *(
        "localhost",
        "::1",
        "[::1]",
        "127.0.0.1:80",
        "0.0.0.0",
        "::",
        "::ffff:127.0.0.1",
        "fe80::1%lo",
    ),
    *(
        "localhost:8080",
        "[::1]:8080",
        "::1:8080",
        "h:0",
        "h:99999",
        "http://h:80",
        "h:80/x",
        "u:p@h:1",
    ),
    *("https://lamp.example.org/", "https://lamp.example.org:443", "lamp.example.org:8090", "*"),
    *("EU868", "eu868", "us915_0", "US915", "AS923-2", "as923_3", "RU864", "cn470_11", "us915_9"),
    *(
        "sqlite:///a%20b.db",
        "sqlite:///a b.db",
        "sqlite://x",
        "sqlite:///",
        "sqlite:////tmp",
        "memory:",
    ),
    *(
        "sqlite:///%ff.db",
        f"sqlite:///{'x' * 5_000}",
        "redis://h",
        "redis://h/x",
        "redis://h/0?db=1",
    ),
    *(
        "redis://:p@h:6379/0?prefix=a",
        "redis://h:port",
        "redis://[::1",
        "redis+sentinel://h/mymaster/0",
    ),
    *(
        "rediss://h?ssl_ca_certs=/nowhere.pem",
        "rediss://h?ssl_cert_reqs=none",
        "redis://h?ssl=true",
    ),
    *(
        "rediss://h?ssl_certfile=/etc/passwd",
        "unix:///run/redis.sock",
        "unix://",
        "redis://h?prefix=",
    ),
    *("json://localhost", "mailto://u:p@example.org?to=a@x.org,b@y.org", "json://a, json://b"),
    *("foo://x", "json://", "syslog://", OPERATOR, f"{OPERATOR},{WEBHOOK}", f"{OPERATOR} "),
    *("debug", "DEBUG", "console", "auto", "always", "never"),
)
VALUES: tuple[Any, ...] = (
    *TEXTS,
    *(0, 1, -1, 2, 15, 16, 80, 8090, 65_535, 65_536, 2**31, 2**63, 2**64, 10**400, -(10**400)),
    *(0.0, -0.0, 0.5, 1.0, 1e-320, 1e-9, 1e308, -1e308, float("nan"), float("inf"), -float("inf")),
    *(True, False, None, [], {}, [[]], [{}], [None], [1], [""], {"": ""}, {"a": {"b": [1]}}),
    *([OPERATOR], [OPERATOR, OPERATOR], [WEBHOOK, 3], [f"ä{OPERATOR}"], ["json://localhost"]),
    *(["https://a.example", "https://a.example/"], [["x"]], {"operator": [OPERATOR]}),
    {"operator": [OPERATOR], "webhook": [WEBHOOK]},
)

KEYS = (
    "",
    "x",
    "WEB",
    "Port",
    "web.port",
    "__class__",
    "_env_file",
    "model_config",
    "é",
    "\x1b[0m",
)


def fields(model: type[BaseModel] = ApiSettings) -> Iterator[tuple[str, ...]]:
    """The way to every setting: `("web", "tokens", "viewer")`."""
    for name, field in model.model_fields.items():
        kind = policy_table() if name == "policy" else field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for inner in fields(kind):
                yield (name, *inner)
        else:
            yield (name,)


def placed(values: Mapping[str, Any], way: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Values with this one in its place, whatever stood on the way there."""
    name, *rest = way
    under = values.get(name)
    if rest:
        value = placed(under if isinstance(under, dict) else {}, tuple(rest), value)
    return {**values, name: value}


FIELDS = tuple(fields())
ways = st.sampled_from(FIELDS) | st.sampled_from(sorted({way[:1] for way in FIELDS}))
odd = st.sampled_from(VALUES) | st.integers() | st.floats() | st.text(max_size=30)
strange_keys = st.tuples(st.sampled_from(["web", "chirpstack", "policy"]), st.sampled_from(KEYS))


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Settings that are right but for some odd values, unknown keys among them."""
    values: dict[str, Any] = RIGHT
    for _ in range(draw(st.integers(1, 5))):
        way = draw(ways | strange_keys | st.sampled_from([(key,) for key in KEYS]))
        values = placed(values, way, draw(odd))
    return values


@st.composite
def environments(draw: st.DrawFn) -> dict[str, str]:
    """Variables of ours, right and odd, beside those that Kubernetes adds."""
    names = st.sampled_from(["__".join(way) for way in FIELDS if len(way) > 1])
    tails = st.sampled_from(["", "", "", "__X", "__", "_PORT", "_SERVICE_HOST", "_PORT_1_TCP"])
    found = {}
    for _ in range(draw(st.integers(1, 5))):
        name = f"LAMPLIGHTER_{draw(names)}{draw(tails)}"
        text = draw(st.sampled_from(TEXTS).filter(lambda each: "\0" not in each))
        found[name.upper() if draw(st.booleans()) else name] = text
    return found


def toml_value(value: Any) -> str | None:
    """A value as TOML writes it; None for what it cannot write."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return None
        case float() if value != value or abs(value) == float("inf"):
            return str(value)
        case int() | float():
            return repr(value)
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                return None
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            parts = [toml_value(each) for each in value]
            return None if None in parts else f"[{', '.join(map(str, parts))}]"
        case dict():
            parts = [f"{json.dumps(k)} = {toml_value(v)}" for k, v in value.items()]
            return None if any(p.endswith("None") for p in parts) else f"{{ {', '.join(parts)} }}"
    raise TypeError(type(value))


def toml(values: Mapping[str, Any]) -> str:
    """Settings as the text of a file; what TOML cannot write is left out."""
    lines = ((json.dumps(name), toml_value(value)) for name, value in values.items())
    return "\n".join(f"{name} = {text}" for name, text in lines if text is not None)


BYTES: tuple[tuple[str, bytes], ...] = (
    ("empty", b""),
    ("byte order mark", b"\xef\xbb\xbf"),
    ("UTF-16", "[chirpstack]\n".encode("utf-16")),
    ("Latin-1", "[web]\n# für\n".encode("latin-1")),
    ("NUL", b"[web]\0"),
    ("picture", bytes(range(256)) * 16),
    ("nested", b"a = " + b"[" * 100_000),
    ("tables", b"[" + b"a." * 20_000 + b"a]"),
    ("digits", b"[web]\nport = " + b"9" * 10_000),
    ("huge", b"# " + b"x" * 2_000_000),
    ("unknown", b"".join(b"k%d = 1\n" % number for number in range(5_000))),
    ("twice", b"[web]\nport = 1\nport = 2\n"),
    ("tables twice", b"[web]\n[web]\n"),
    ("old line ends", b"[web]\rport = 1\r"),
    ("date", b"[web]\nport = 1979-05-27T07:32:00Z\n"),
    ("array of tables", b"[[web]]\nport = 1\n"),
    ("no table", b"web = 1\nchirpstack = 'x'\npolicy = []\nstore = 1.5\n"),
    ("arguments of a library", b"_env_file = 'x'\n_cli_parse_args = true\nself = 1\n"),
)
