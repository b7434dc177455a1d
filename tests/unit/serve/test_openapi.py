"""The OpenAPI description, and the paths it describes."""

from __future__ import annotations

from jina_cli.serve.edges import paths_of
from jina_cli.serve.openapi import openapi_of
from jina_cli.wire.messages import EndpointInfo

DOCUMENT = {"type": "object", "properties": {"text": {"type": "string"}}}


def test_every_path_is_a_post_with_the_schema_of_its_endpoint() -> None:
    endpoints = {"/search": EndpointInfo(input=DOCUMENT, output=DOCUMENT)}

    api = openapi_of({"/search": "/search", "/find": "/search"}, endpoints, title="Shop")

    assert api["info"]["title"] == "Shop"
    assert list(api["paths"]) == ["/find", "/search"]
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
