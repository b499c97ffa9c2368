"""Judges one exchange against a maker's OpenAPI 3.x document: path, method, query, status, content type, body.

Knows OpenAPI and nothing of any server. What the documents themselves get wrong stands in ``TOLERANCES`` and
``ALIASES``, each with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from openapi_schema_validator import OAS30Validator, OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from ruamel.yaml import YAML

Query = Mapping[str, "str | list[str]"]
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_LONGEST_MESSAGE = 300


class Tolerance(NamedTuple):
    """A violation that is the document's fault: patterns over its title, ``METHOD /path`` and the message."""

    title: str
    where: str
    what: str
    reason: str


class Alias(NamedTuple):
    """A request that the maker serves although the document names it otherwise."""

    title: str
    method: str
    path: str
    use_method: str
    use_path: str
    reason: str


_GET_TOO = "the document's own words: this API does respond to the GET verb"
ALIASES: tuple[Alias, ...] = (
    Alias("Plex", "GET", "/:/scrobble", "PUT", "/:/scrobble", _GET_TOO),
    Alias("Plex", "GET", "/:/unscrobble", "PUT", "/:/unscrobble", _GET_TOO),
    Alias("Plex", "GET", "/:/rate", "PUT", "/:/rate", _GET_TOO),
    Alias("Plex", "GET", "/:/timeline", "POST", "/:/timeline", "every recorded client reports with GET"),
    Alias(
        "Plex", "GET", "/library/sections", "GET", "/library/sections/all", "recorded: both list the sections"
    ),
    Alias(
        "Plex",
        "GET",
        "/library/sections/",
        "GET",
        "/library/sections/all",
        "recorded: both list the sections",
    ),
)
TOLERANCES: tuple[Tolerance, ...] = (
    Tolerance(
        "Plex",
        r".*",
        r"query .*X-Plex-",
        "every X-Plex header may be a query argument (general introduction)",
    ),
    Tolerance(
        "Plex",
        r"GET /library/sections/all",
        r"\.hidden: .* is not of type 'boolean'",
        "every recorded server writes hidden as a number 0, 1 or 2",
    ),
    Tolerance(
        "Plex",
        r".*",
        r"status 40[0134] is not",
        "many operations document success alone; recorded: pages of errors",
    ),
    Tolerance(
        "Plex",
        r".*",
        r"content type text/xml for 200",
        "XML is the default form; the document describes JSON",
    ),
    Tolerance(
        "Plex",
        r".*",
        r"\.Guid\[\](\.id: .* is not of type 'integer'|: 'tag' is a required property)",
        "Guid shares the schema of tags; every recorded Guid has a text id and no tag",
    ),
    Tolerance(
        "Plex",
        r"GET /status/sessions/history/all",
        r"query viewedAt>+ is not",
        "the documented filter language",
    ),
    Tolerance("Plex", r".*/:/rate", r"query rating: .*-1", "-1 clears; asserted by a suite on a real server"),
)


def check(
    spec_path: Path,
    method: str,
    path: str,
    query: Query,
    status: int,
    content_type: str | None,
    body: bytes | str | None,
    *,
    tolerances: Iterable[Tolerance] = TOLERANCES,
) -> list[str]:
    """Violations in words, none when the exchange fits. A path that the document lacks is one violation."""
    document = load_document(spec_path)
    method, path = document.rename(method.upper(), path)
    found = document.find(method, path)
    if found is None:
        raw = [f"{method} {path} is not in the document"]
        where = f"{method} {path}"
    else:
        where = f"{method} {found.template}"
        raw = [
            *_judge_query(document, found, query),
            *_judge_answer(document, found, status, content_type, body),
        ]
    return [f"{where}: {text}" for text in raw if not document.tolerates(tolerances, where, text)]


def covers(spec_path: Path, method: str, path: str) -> bool:
    """Whether the document has this path and method."""
    document = load_document(spec_path)
    return document.find(*document.rename(method.upper(), path)) is not None


class Operation(NamedTuple):
    """One operation of the document and where it stands there."""

    template: str
    pointer: str
    value: dict[str, Any]
    parameters: list[dict[str, Any]]


class Document:
    """A decoded document with its paths ready for matching."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.title = str(content["info"]["title"])
        resource = Resource(contents=content, specification=DRAFT202012)
        self._registry = Registry().with_resource("urn:spec", resource)
        self._validator = OAS31Validator if str(content["openapi"]).startswith("3.1") else OAS30Validator
        self._paths = sorted(
            ((_compile_template(template), template) for template in content["paths"]),
            key=lambda pair: (pair[1].count("{"), -len(pair[1])),
        )

    def rename(self, method: str, path: str) -> tuple[str, str]:
        for alias in ALIASES:
            if alias.title in self.title and (alias.method, alias.path) == (method, path):
                return alias.use_method, alias.use_path
        return method, path

    def find(self, method: str, path: str) -> Operation | None:
        for pattern, template in self._paths:
            item = self.content["paths"][template]
            if method.lower() in item and pattern.fullmatch(path):
                pointer = f"#/paths/{_escape(template)}/{method.lower()}"
                value = item[method.lower()]
                shared = [*item.get("parameters", []), *value.get("parameters", [])]
                return Operation(template, pointer, value, [self.resolve(p) for p in shared])
        return None

    def resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        """Follow ``$ref`` within the document."""
        while "$ref" in value:
            target: Any = self.content
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            value = target
        return value

    def errors(self, schema: dict[str, Any], value: Any) -> list[str]:
        """What is wrong with a value, each with its place. Array indexes are told as ``[]``, repeats are told once."""
        found: dict[str, None] = {}
        for error in self._make_validator(schema).iter_errors(value):
            for leaf in _leaves(error):
                place = "".join("[]" if isinstance(part, int) else f".{part}" for part in leaf.absolute_path)
                found[f"{place}: {leaf.message}"[:_LONGEST_MESSAGE]] = None
        return list(found)

    def _make_validator(self, schema: dict[str, Any]) -> Any:
        absolute = _absolute_refs(schema)
        return self._validator(absolute, registry=self._registry)

    def tolerates(self, tolerances: Iterable[Tolerance], where: str, text: str) -> bool:
        return any(
            entry.title in self.title
            and re.fullmatch(entry.where, where)
            and re.search(entry.what, text, re.DOTALL)
            for entry in tolerances
        )


@lru_cache(maxsize=8)
def load_document(spec_path: Path) -> Document:
    """Read a document once, JSON or YAML."""
    if spec_path.suffix in (".yaml", ".yml"):
        return Document(YAML(typ="safe", pure=False).load(spec_path))
    return Document(msgspec.json.decode(spec_path.read_bytes()))


def _judge_query(document: Document, operation: Operation, query: Query) -> list[str]:
    declared = {str(p["name"]).lower(): p for p in operation.parameters if p["in"] == "query"}
    given = {name.lower() for name in query}
    wrong = [
        f"query {p['name']} is required and missing"
        for name, p in declared.items()
        if p.get("required") and name not in given
    ]
    free = any(document.resolve(p.get("schema", {})).get("type") == "object" for p in declared.values())
    keys = {s["name"].lower() for s in _security_in_query(document)}
    for name, value in query.items():
        parameter = declared.get(name.lower())
        if parameter is not None:
            wrong += _judge_parameter(document, parameter, value)
        elif not free and name.lower() not in keys:
            wrong.append(f"query {name} is not in the document")
    return wrong


def _security_in_query(document: Document) -> list[dict[str, Any]]:
    schemes = document.content.get("components", {}).get("securitySchemes", {}).values()
    return [scheme for scheme in schemes if scheme.get("in") == "query"]


def _judge_parameter(document: Document, parameter: dict[str, Any], value: str | list[str]) -> list[str]:
    schema = document.resolve(parameter.get("schema", {}))
    texts = value if isinstance(value, list) else [value]
    if schema.get("type") == "array":
        schema = document.resolve(schema.get("items", {}))
        texts = [part for text in texts for part in text.split(",") if part]
    if schema.get("type") == "object":
        return []
    return [
        f"query {parameter['name']}: {error} (sent {text!r})"
        for text in texts
        for error in document.errors(schema, _from_text(text, _type_of(document, schema)))
    ]


def _type_of(document: Document, schema: dict[str, Any]) -> str | None:
    for part in (schema, *(document.resolve(p) for p in schema.get("allOf", []))):
        if "type" in part:
            return str(part["type"])
    return None


def _from_text(text: str, kind: str | None) -> Any:
    """The value that a query's text stands for; text that is none of that kind stays text and fails."""
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _judge_answer(
    document: Document, operation: Operation, status: int, content_type: str | None, body: bytes | str | None
) -> list[str]:
    responses = operation.value.get("responses", {})
    declared = responses.get(str(status)) or responses.get(f"{status // 100}XX") or responses.get("default")
    if declared is None:
        if status == 401 and operation.value.get("security", document.content.get("security")) != [{}]:
            return []
        return [f"status {status} is not in the document, which has {', '.join(responses)}"]
    content = document.resolve(declared).get("content")
    if not content:
        return [f"status {status} has no body in the document"] if body else []
    main = (content_type or "").split(";")[0].strip().lower()
    kinds = {kind.split(";")[0].strip().lower(): value for kind, value in reversed(content.items())}
    if main not in kinds:
        if not body and not any("schema" in value for value in kinds.values()):
            return []
        return [f"content type {main or 'none'} for {status} is not in the document: {', '.join(kinds)}"]
    if "json" not in main or "schema" not in kinds[main]:
        return []
    try:
        decoded = msgspec.json.decode(body or b"")
    except msgspec.DecodeError as error:
        return [f"the body is no JSON: {error}"]
    return [f"answer {error}" for error in document.errors(kinds[main]["schema"], decoded)]


def _compile_template(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", template)
    return re.compile("[^/]+".join(re.escape(part) for part in parts), re.IGNORECASE)


def _escape(text: str) -> str:
    return text.replace("~", "~0").replace("/", "~1")


def _absolute_refs(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: f"urn:spec{value}" if key == "$ref" and isinstance(value, str) else _absolute_refs(value)
            for key, value in schema.items()
            if key not in ("example", "examples")
        }
    return [_absolute_refs(part) for part in schema] if isinstance(schema, list) else schema


def _leaves(error: Any) -> list[Any]:
    """The errors within ``anyOf``/``oneOf`` that name the real mistake; the error itself where there are none."""
    if error.validator in ("anyOf", "oneOf", "allOf") and error.context:
        return [leaf for inner in error.context for leaf in _leaves(inner)]
    return [error]
