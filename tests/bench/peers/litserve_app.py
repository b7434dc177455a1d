"""The same search on LitServe.  PORT is the only argument."""

import sys

import litserve
from knn import Knn


class Search(litserve.LitAPI):
    def setup(self, device):
        self.knn = Knn()

    def decode_request(self, request):
        return request["data"][0]["text"]

    def predict(self, texts):
        places, scores = self.knn.search(self.knn.encode(texts))
        return list(zip(places.tolist(), scores.tolist(), strict=True))

    def batch(self, inputs):
        return inputs

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        return {
            "data": [{"id": str(place), "score": score} for place, score in zip(*output)]  # noqa: B905
        }


if __name__ == "__main__":
    api = Search(max_batch_size=16, batch_timeout=0.002, api_path="/search")
    litserve.LitServer(api, accelerator="cpu").run(
        port=int(sys.argv[1]), generate_client_file=False, log_level="warning"
    )
