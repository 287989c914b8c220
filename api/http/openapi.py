"""The OpenAPI description, made from what the handlers declare.

Every status that a handler can answer is declared in its `@answers`; the tests compare what is
declared with what is sent.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from quart import Quart
from quart_schema import Info, QuartSchema
from quart_schema.openapi import HttpSecurityScheme, OpenAPIProvider
from quart_schema.validation import (
    QUART_SCHEMA_QUERYSTRING_ATTRIBUTE,
    QUART_SCHEMA_REQUEST_ATTRIBUTE,
    DataSource,
)
from werkzeug.routing.rules import Rule

from api.http.auth import Scope, scope_of
from api.http.examples import example_of_answer, example_of_body, example_of_parameter
from api.http.header_parameters import Header
from api.http.problems import (
    BAD_HTTP,
    FORBIDDEN,
    INVALID,
    MEDIA_TYPE,
    RATE_LIMITED,
    STOPPING,
    TOO_SLOW,
    TYPE_PREFIX,
    UNAUTHENTICATED,
    WRONG_HOST,
    Kind,
    ProblemView,
)
from api.http.response_headers import (
    AUTHENTICATE,
    REQUEST_ID_BACK,
    RETRY_AFTER,
    TABLE,
    ResponseHeader,
    components,
    references,
    sometimes,
)
from api.models import SERVED_NAMES
from api.models.requests import Body, Query

F = TypeVar("F", bound=Callable[..., Any])

DEV_EUI = {"type": "string", "pattern": "^[0-9a-fA-F]{16}$"}

_ANSWERS = "_lamplighter_answers"
_FILE = "_lamplighter_file"
_HEADERS = "_lamplighter_headers"
_REF = "#/components/schemas/{name}"
_TAGS = {
    "lights": "Command lights and look at them.",
    "rollouts": "One colour for many lights, with a pace and a limit of failures.",
    "plans": "Floor plans: pictures of the place, and where lights and gateways are on them.",
    "scenes": "Named sets of lights and colours, and when they are applied by themselves.",
    "hooks": "Receivers that are posted what happens, signed, at least once.",
    "gateways": "The gateways, as the watcher sees them.",
    "operation": "Alerts, metrics, actors and health of the service.",
    "network": "What ChirpStack sends.",
}
_DESCRIPTION = (
    "Makes sure that every light shows the colour it was told to show. Times are Unix seconds "
    "UTC. Errors are RFC 9457 problem details. Changes are followed live on the websocket "
    "`/api/v1/live`, which OpenAPI cannot describe; its messages are in docs/live.md."
)


EVERYWHERE = (BAD_HTTP, UNAUTHENTICATED, WRONG_HOST, RATE_LIMITED)
"""What the middleware answers on every route: a wrong token is wrong where none is needed, too."""
PROTECTED = (FORBIDDEN, INVALID, STOPPING, TOO_SLOW)
"""What every route answers besides that is not public; a parameter that it lacks is a mistake."""


class Answer(msgspec.Struct, frozen=True):
    """One status that a handler answers with; `model` None is an empty body."""

    status: int
    description: str
    model: type[msgspec.Struct] | None = None
    media_type: str = "application/json"
    also: tuple[str, ...] = ()
    """Media types of the same answer as a table."""
    headers: tuple[ResponseHeader, ...] = ()
    """Those that mean something, without the ones of every answer."""


def answers(
    *good: Answer,
    problems: Sequence[Kind] = (),
    tag: str,
    body_optional: bool = False,
    problem_headers: Mapping[Kind, tuple[ResponseHeader, ...]] | None = None,
) -> Callable[[F], F]:
    """Declare what a view answers; what middleware and app answer for it is added.
    `problem_headers` are those of problems that not every problem of their kind has."""

    def mark(view: F) -> F:
        told = dict(problem_headers or {})
        setattr(view, _ANSWERS, (good, tuple(problems), tag, body_optional, told))
        return view

    return mark


def takes(
    *,
    body: type[Body] | None = None,
    query: type[Query] | None = None,
    file: str | None = None,
    headers: Sequence[Header] = (),
) -> Callable[[F], F]:
    """Declare what a view reads; the view itself reads it by `read_body`, `read_query` and
    `read_file`; `file` is the media type of one, `headers` are those that mean something."""

    def mark(view: F) -> F:
        if body is not None:
            setattr(view, QUART_SCHEMA_REQUEST_ATTRIBUTE, (body, DataSource.JSON))
        if query is not None:
            setattr(view, QUART_SCHEMA_QUERYSTRING_ATTRIBUTE, query)
        if file is not None:
            setattr(view, _FILE, file)
        setattr(view, _HEADERS, tuple(headers))
        return view

    return mark


class Provider(OpenAPIProvider):
    """Describes our `@answers` instead of one model per status."""

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        """Path objects and components of one rule."""
        paths, components = super().build_paths(rule)
        view = self._app.view_functions[rule.endpoint]
        nothing: tuple[Any, ...] = ((), (), "", False, {})
        good, problems, tag, body_optional, own = getattr(view, _ANSWERS, nothing)
        for operations in paths.values():
            for method, operation in operations.items():
                operation["tags"] = [tag] if tag else operation.get("tags", [])
                # The docstring ends where it stops speaking to callers.
                operation["description"] = operation.get("description", "").strip()
                if (file := getattr(view, _FILE, None)) is not None:
                    binary = {"type": "string", "format": "binary"}
                    operation["requestBody"] = {"content": {file: {"schema": binary}}}
                if "requestBody" in operation:
                    operation["requestBody"]["required"] = not body_optional
                for parameter in operation.get("parameters", ()):
                    if parameter["in"] == "path" and parameter["name"] == "dev_eui":
                        parameter["schema"] = DEV_EUI
                self._secure(operation, scope_of(view, method.upper()))
                public = scope_of(view, method.upper()) is Scope.PUBLIC
                shared = EVERYWHERE if public else (*EVERYWHERE, *PROTECTED)
                kinds = tuple(dict.fromkeys((*problems, *shared)))
                responses, found = _responses(good, kinds)
                _tell_headers(responses, good, kinds, own)
                operation["responses"] = responses or operation["responses"]
                components.update(found)
                headers = getattr(view, _HEADERS, ())
                operation["parameters"] += [header.parameter() for header in headers]
                _exemplify(operation, components)
        return paths, components

    @staticmethod
    def _secure(operation: dict[str, Any], scope: Scope) -> None:
        operation["security"] = [] if scope is Scope.PUBLIC else [{scope.value: []}]


def _tell_headers(
    responses: Mapping[str, dict[str, Any]],
    good: Sequence[Answer],
    kinds: Sequence[Kind],
    own: Mapping[Kind, tuple[ResponseHeader, ...]],
) -> None:
    """Name the headers of each answer. Of several kinds of problem with one status, a header that
    one of them lacks is there sometimes."""
    for status, answer in responses.items():
        told = {REQUEST_ID_BACK.name: REQUEST_ID_BACK}
        alike = [kind for kind in kinds if str(kind.status) == status]
        sent = [(*_headers_of(kind), *own.get(kind, ())) for kind in alike]
        fits = [one for one in good if str(one.status) == status]
        sent += [(*one.headers, *(TABLE if one.also else ())) for one in fits]
        for header in (header for headers in sent for header in headers):
            everywhere = all(header in headers for headers in sent)
            told[header.name] = header if everywhere else sometimes(header)
        answer["headers"] = references(told.values())


def _headers_of(kind: Kind) -> tuple[ResponseHeader, ...]:
    if kind.again_s:
        return (RETRY_AFTER,)
    return (AUTHENTICATE,) if kind is UNAUTHENTICATED else ()


def _exemplify(operation: dict[str, Any], components: Mapping[str, Any]) -> None:
    """Give an example to all that is sent, and to each answer that is no problem."""
    for parameter in operation["parameters"]:
        if "example" not in parameter:
            name, schema = parameter["name"], parameter["schema"]
            parameter["example"] = example_of_parameter(name, schema, components)
    content = operation.get("requestBody", {}).get("content", {})
    if (sent := content.get("application/json")) is not None:
        sent["example"] = example_of_body(sent["schema"], components)
    for status, answer in operation["responses"].items():
        for media_type, told in answer.get("content", {}).items() if status < "300" else ():
            example = example_of_answer(media_type, told["schema"], components)
            if example is not None:
                told["example"] = example


def describe(app: Quart, version: str) -> None:
    """Make the app able to describe itself; `openapi_json` gives the description."""
    schemes = {
        scope.value: HttpSecurityScheme("bearer")
        for scope in (Scope.VIEWER, Scope.OPERATOR, Scope.WEBHOOK)
    }
    QuartSchema(
        app,
        openapi_path=None,  # served by our own route: built once, and with our own page
        redoc_ui_path=None,
        scalar_ui_path=None,
        swagger_ui_path=None,
        info=Info(title="Lamplighter", version=version, description=_DESCRIPTION),
        tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        security_schemes=dict(schemes),
        openapi_provider_class=Provider,
    )


def openapi_json(app: Quart) -> bytes:
    """The description of all routes as they are now."""
    provider: OpenAPIProvider = app.extensions["QUART_SCHEMA"].openapi_provider
    described = provider.schema()
    described["components"]["headers"] = components()
    return msgspec.json.encode(_portable(described))


def schemas_of(models: Sequence[type[msgspec.Struct]]) -> dict[str, Any]:
    """The schemas of these models, and of all that they are made of, by their served names."""
    return {name: _cleaned(name, one) for name, one in _schemas(models)[1].items()}


def _portable(value: Any) -> Any:
    """The same in words that more generators of clients know: so many items of one kind, in place
    of a schema for each place."""
    if isinstance(value, dict):
        first, *others = value.get("prefixItems") or (None,)
        if first is not None and all(other == first for other in others):
            size = {"minItems": 1 + len(others), "maxItems": 1 + len(others)}
            rest = {k: v for k, v in value.items() if k not in {"prefixItems", "items"}}
            value = {**rest, "items": first, **size}
        return {key: _portable(inner) for key, inner in value.items()}
    return [_portable(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _responses(
    good: Sequence[Answer], problems: Sequence[Kind]
) -> tuple[dict[str, Any], dict[str, Any]]:
    models = [answer.model for answer in good if answer.model is not None]
    schemas, components = _schemas([*models, ProblemView])
    by_model = dict(zip([*models, ProblemView], schemas, strict=True))
    responses: dict[str, Any] = {}
    for answer in good:
        shown: dict[str, Any] = {"description": answer.description}
        if answer.model is not None:
            shown["content"] = {answer.media_type: {"schema": by_model[answer.model]}}
        elif answer.media_type != "application/json":
            shown["content"] = {answer.media_type: {"schema": {"type": "string"}}}
        for media_type in answer.also:
            shown["content"][media_type] = {"schema": {"type": "string"}}
        responses[str(answer.status)] = shown
    for kind in problems:
        text = f"{kind.title} (`{TYPE_PREFIX}{kind.slug}`)."
        problem = responses.setdefault(
            str(kind.status),
            {"description": "", "content": {MEDIA_TYPE: {"schema": by_model[ProblemView]}}},
        )
        problem["description"] = f"{problem['description']} {text}".strip()
    return responses, {name: _cleaned(name, component) for name, component in components.items()}


def _schemas(models: Sequence[type[msgspec.Struct]]) -> tuple[Any, dict[str, Any]]:
    """The schemas of these models, and the components that they refer to, by their served names."""
    schemas, components = msgspec.json.schema_components(models, ref_template=_REF)
    names = {model.__name__: name for model, name in SERVED_NAMES.items()}
    for model_name, served_name in names.items():
        if model_name in components:
            components[served_name] = _all_sent(components.pop(model_name))
    references = {_REF.format(name=old): _REF.format(name=new) for old, new in names.items()}
    found: tuple[Any, dict[str, Any]] = _referring((schemas, components), references)
    return found


def _all_sent(component: dict[str, Any]) -> dict[str, Any]:
    """What the actors make has defaults; sent are all of its fields. JSON calls None null."""
    fields = component.get("properties")
    if fields is None:
        return component
    for field in fields.values():
        field.pop("default", None)
    text = re.sub(r"\bNone\b", "null", component.get("description", ""))
    return {"type": "object", "description": text, "properties": fields, "required": [*fields]}


def _referring(value: Any, references: Mapping[str, str]) -> Any:
    """The same with these references instead of those."""
    if isinstance(value, dict):
        return {key: _referring(inner, references) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_referring(inner, references) for inner in value)
    return references.get(value, value) if isinstance(value, str) else value


def _cleaned(name: str, component: dict[str, Any]) -> dict[str, Any]:
    component["title"] = name  # generators name classes by it, and two may not share one
    if "description" in component:
        component["description"] = inspect.cleandoc(component["description"])
    return component
