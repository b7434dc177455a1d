"""Ids for documents that come without, where a request parts into several branches.

A Pea gives an id to a document that has none. Two branches would give it two different
ones, and a join could not tell that both speak of the same document; so the Gateway does it
before they part. Only documents written as JSON can lack an id when they come in.
"""

from __future__ import annotations

import uuid

import orjson

from jina_cli.wire.messages import EMPTY, Body, Format, Request


def with_ids(request: Request) -> Body:
    """Return the body of `request` with an id in each document; the same body if it has them.

    What is no array of objects is left as it is: the first Pea says what is wrong with it.
    """
    body = request.bodies[0] if request.bodies else EMPTY
    if body.format is not Format.JSON:
        return body
    try:
        documents = orjson.loads(body.data)
    except orjson.JSONDecodeError:
        return body
    if not isinstance(documents, list):
        return body
    nameless = [one for one in documents if isinstance(one, dict) and one.get("id") is None]
    for document in nameless:
        document["id"] = uuid.uuid4().hex
    return Body(Format.JSON, orjson.dumps(documents)) if nameless else body
