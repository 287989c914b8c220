"""One request to a running demo, which changes its pretend world."""

import httpx2
import msgspec
from rich.console import Console

from api.cli.console import errors


def control(at: str, path: str) -> int:
    """One POST to a running demo; the exit code."""
    out = Console(highlight=False)
    try:
        response = httpx2.post(f"{at.rstrip('/')}/demo/{path}", timeout=10.0)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        errors.print(f"no demo answers at {at}: {error}", markup=False)
        return 1
    if response.is_error:
        errors.print(f"the demo refused: {_detail(response)}", markup=False)
        return 2
    out.print_json(response.text)
    return 0


def _detail(response: httpx2.Response) -> str:
    try:
        problem = msgspec.json.decode(response.content)
    except msgspec.MsgspecError:
        return response.text
    return str(problem.get("detail") or problem.get("title")) if isinstance(problem, dict) else ""
