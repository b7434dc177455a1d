"""The OpenAPI description, and the paths it describes."""

from __future__ import annotations

from typing import Any

from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from jina_cli.serve.edges import paths_of
from jina_cli.serve.openapi import openapi_of
from jina_cli.wire.messages import EndpointInfo

Api = dict[str, Any]

DOCUMENT = {"type": "object", "properties": {"text": {"type": "string"}}}


def test_every_path_is_a_post_with_the_schema_of_its_endpoint() -> None:
    endpoints = {"/search": EndpointInfo(input=DOCUMENT, output=DOCUMENT)}

    api = openapi_of({"/search": "/search", "/find": "/search"}, endpoints, title="Shop")

    assert api["info"]["title"] == "Shop"
    posted = [path for path, operations in api["paths"].items() if "post" in operations]
    assert posted == ["/find", "/search"]
    body = api["paths"]["/find"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["data"]["anyOf"] == [{"type": "array", "items": DOCUMENT}, DOCUMENT]


def test_schemas_that_refer_to_their_own_definitions_are_found_in_the_whole() -> None:
    nested = {
        "type": "object",
        "properties": {"inner": {"$ref": "#/$defs/Inner"}},
        "$defs": {"Inner": {"type": "object"}},
    }

    api = openapi_of({"/x": "/x"}, {"/x": EndpointInfo(input=nested)})

    body = api["paths"]["/x"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    item = body["properties"]["data"]["anyOf"][1]
    assert item["properties"]["inner"] == {"$ref": "#/components/schemas/x.input.Inner"}
    assert api["components"]["schemas"]["x.input.Inner"] == {"type": "object"}


def test_exposed_endpoints_are_found_by_their_path() -> None:
    exposed = {"/foo": {"http_path": "bar/foo", "methods": ["POST"]}, "/plain": {}, "/odd": None}

    assert paths_of(exposed) == {"/bar/foo": "/foo"}


def _operations(api: Api) -> list[Api]:
    return [operation for path in api["paths"].values() for operation in path.values()]


def test_a_streaming_endpoint_is_a_get_too_whose_query_is_the_document() -> None:
    info = EndpointInfo(input=DOCUMENT, output=DOCUMENT, is_generator=True)

    api = openapi_of({"/count": "/count"}, {"/count": info})

    asked = api["paths"]["/count"]
    assert [one["name"] for one in asked["get"]["parameters"]] == ["text"]
    assert list(asked["get"]["responses"]["200"]["content"]) == ["text/event-stream"]
    assert "text/event-stream" in asked["post"]["responses"]["200"]["content"]


def test_pages_are_described_beside_an_endpoint_of_the_same_path() -> None:
    api = openapi_of({"/status": "/status"}, {"/status": EndpointInfo()})

    assert set(api["paths"]["/status"]) == {"post", "get"}
    assert set(api["paths"]["/dry_run"]) == {"get"}


def test_the_description_is_valid_whatever_endpoints_and_classes_are_called() -> None:
    generic = {"$defs": {"Pair[int, ä/~]": {"type": "object"}}, "$ref": "#/$defs/Pair[int, ä/~]"}
    names = ("/", "/a/b", "/a_b", "/a b/ü", "/a.b", "/default")
    infos = {name: EndpointInfo(input=generic, is_generator=True) for name in names}

    api = openapi_of({name: name for name in names}, infos)

    OPENAPI_31_VALIDATOR.validate(api)
    named = [operation["operationId"] for operation in _operations(api)]
    assert len(set(named)) == len(named)
    body = api["paths"]["/a b/ü"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    where = body["properties"]["data"]["anyOf"][1]["$ref"].rpartition("/")[2]
    assert where in api["components"]["schemas"]
