"""The search by hand: Starlette on uvicorn, one process.  PORT is the only argument."""

import sys

import orjson
import uvicorn
from knn import Encoder, Index
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

ENCODER, INDEX = Encoder(), Index()


async def search(request):
    texts = [item["text"] for item in orjson.loads(await request.body())["data"]]
    places, scores = INDEX.search(ENCODER.encode(texts))
    answers = [
        {"text": text, "found": [str(place) for place in row], "scores": found}
        for text, row, found in zip(texts, places.tolist(), scores.tolist(), strict=True)
    ]
    return Response(orjson.dumps({"data": answers}), media_type="application/json")


app = Starlette(routes=[Route("/search", search, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(
        app, port=int(sys.argv[1]), log_level="warning", access_log=False, loop="uvloop",
        http="httptools",
    )  # fmt: skip
