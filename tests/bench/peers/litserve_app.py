"""The same search on LitServe.  PORT is the only argument."""

import sys

import litserve
from knn import Encoder, Index


class Search(litserve.LitAPI):
    def setup(self, device):
        self.encoder, self.index = Encoder(), Index()

    def decode_request(self, request):
        return request["data"][0]["text"]

    def predict(self, texts):
        places, scores = self.index.search(self.encoder.encode(texts))
        return list(zip(texts, places.tolist(), scores.tolist(), strict=True))

    def batch(self, inputs):
        return inputs

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        text, places, scores = output
        found = [str(place) for place in places]
        return {"data": [{"text": text, "found": found, "scores": scores}]}


if __name__ == "__main__":
    api = Search(max_batch_size=16, batch_timeout=0.002, api_path="/search")
    litserve.LitServer(api, accelerator="cpu").run(
        port=int(sys.argv[1]), generate_client_file=False, log_level="warning"
    )
