"""Train the network of `FashionEncoder`: `python -m jina_cli.hello.train_fashion SOURCE OUT`.

SOURCE is a folder with the four files of Fashion-MNIST (Debian's `dataset-fashion-mnist`), OUT
the `.onnx` file that is written. Needs `torch` and `onnx`, which the product does not; takes
about a quarter of an hour on one idle core. `OUT.checkpoint` keeps what was reached after each
epoch, so that a run that was stopped goes on there; delete it to begin anew.

Only training images teach. The last 5,000 of them are held out: what is printed after each epoch
is measured on those, and that is what a change is to be judged by. The 10,000 test images are
looked at once, at the end. The seed is fixed and one thread works, so that the same versions make
the same network: torch 2.13.0 made the one that is shipped, which reaches precision@10 of 0.9100
and 10-NN accuracy of 0.9312 on the held-out images, 0.9053 and 0.9281 on the test images.
"""

# torch is not among what the product is checked with.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator"

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from jina_cli.hello.dataset import CLASSES, Labelled, read_folder

DIM = 64
HELD_OUT = 5_000
SEED = 20_201

_BATCH = 128
_RATE = 3e-3
"""Peak of the one-cycle schedule (Smith & Topin 2018, "Super-Convergence")."""

_SCALE = 16.0
"""What cosines are multiplied by before the softmax (Wang et al. 2017, "NormFace")."""

_SMOOTHING = 0.05
_EMA = 0.998
_SHIFT = 2
_HOLE = 8


class Residual(nn.Module):
    """Adds what `inner` makes of its input to that input."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


class Network(nn.Module):
    """Images, shape `(n, 28, 28)`, 0 to 1 → unit vectors, shape `(n, DIM)`.

    Five convolutions; the last step is one as well, where a matrix product would round
    differently for one image than for many.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolution(1, 24),
            _convolution(24, 48, stride=2),
            Residual(_convolution(48, 48)),
            _convolution(48, 96, stride=2),
            Residual(_convolution(96, 96)),
            nn.AvgPool2d(7),
            nn.Conv2d(96, DIM, 1, bias=False),
        )

    def forward(self, images: Tensor) -> Tensor:
        return functional.normalize(self.body(images[:, None]).flatten(1))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Training:
    """A network on its way, its running average, and all that goes on from a checkpoint."""

    def __init__(self, images: Labelled, epochs: int) -> None:
        self.images = torch.from_numpy(images.images.astype(np.float32) / 255)
        self.labels = torch.from_numpy(images.labels.astype(np.int64))
        self.network = Network().to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        self.classes = nn.Parameter(torch.randn(len(CLASSES), DIM))
        self.optimiser = torch.optim.AdamW(
            [*self.network.parameters(), self.classes], lr=_RATE, weight_decay=0.02
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, _RATE, total_steps=epochs * (len(self.labels) // _BATCH)
        )
        self.epoch = 0

    def run_epoch(self) -> float:
        """Show all images once, in a random order, and return the mean loss."""
        self.network.train()
        order = torch.randperm(len(self.labels))
        losses = []
        for start in range(0, len(order) - _BATCH + 1, _BATCH):
            chosen = order[start : start + _BATCH]
            loss = self._step(augmented(self.images[chosen]), self.labels[chosen])
            losses.append(loss)
        self.epoch += 1
        return float(np.mean(losses))

    def _step(self, images: Tensor, labels: Tensor) -> float:
        cosines = self.network(images) @ functional.normalize(self.classes).T
        loss = functional.cross_entropy(_SCALE * cosines, labels, label_smoothing=_SMOOTHING)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        self._follow()
        return float(loss.item())

    @torch.no_grad()
    def _follow(self) -> None:
        state = self.network.state_dict()
        for name, kept in self.average.state_dict().items():
            if kept.is_floating_point():
                kept.lerp_(state[name], 1 - _EMA)

    def state(self) -> dict[str, Any]:
        """Return all of it, with the state of the random numbers."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "classes": self.classes.data,
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": self.epoch,
            "random": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.classes.data.copy_(state["classes"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.epoch = state["epoch"]
        torch.set_rng_state(state["random"])


def augmented(images: Tensor) -> Tensor:
    """Return images mirrored at random, shifted by up to two pixels, with a square hole each.

    After T. DeVries and G. Taylor, "Improved Regularization of Convolutional Neural Networks
    with Cutout" (2017).
    """
    n, size = len(images), images.shape[1]
    images = torch.where(torch.rand(n, 1, 1) < 0.5, images.flip(2), images)
    padded = functional.pad(images, (_SHIFT,) * 4)
    pixels = torch.arange(size)
    rows = torch.randint(2 * _SHIFT + 1, (n, 1)) + pixels
    columns = torch.randint(2 * _SHIFT + 1, (n, 1)) + pixels
    shifted = padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    centre = torch.randint(size, (2, n, 1))
    row_hole, column_hole = (pixels - centre).abs() < _HOLE // 2
    return shifted.masked_fill(row_hole[:, :, None] & column_hole[:, None, :], 0)


@dataclass(frozen=True, slots=True)
class Quality:
    """How well nearest neighbours by cosine tell the class: means over the queries."""

    precision_at_10: float
    accuracy_of_10: float

    def __str__(self) -> str:
        return f"precision@10 {self.precision_at_10:.4f}, 10-NN accuracy {self.accuracy_of_10:.4f}"


def quality(network: nn.Module, index: Labelled, queries: Labelled) -> Quality:
    """Return how good an exact search for `queries` among `index` is."""
    known = vectors_of(network, index.images)
    right, voted = [], []
    asked = vectors_of(network, queries.images)
    for start in range(0, len(asked), 500):
        scores = asked[start : start + 500] @ known.T
        nearest = np.argpartition(-scores, 10, axis=1)[:, :10]
        found = index.labels[nearest]
        label = queries.labels[start : start + 500]
        right.append((found == label[:, None]).mean(1))
        votes = (found[:, :, None] == np.arange(len(CLASSES))).sum(1)
        voted.append(votes.argmax(1) == label)
    return Quality(float(np.concatenate(right).mean()), float(np.concatenate(voted).mean()))


@torch.no_grad()
def vectors_of(network: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the network's vectors, shape `(n, DIM)`."""
    network.eval()
    parts: Iterator[NDArray[np.uint8]] = (
        images[start : start + 500] for start in range(0, len(images), 500)
    )
    return np.concatenate(
        [network(torch.from_numpy(part.astype(np.float32) / 255)).numpy() for part in parts]
    )


def export(network: Network, out: Path) -> None:
    """Write the network as ONNX: `images (n, 28, 28)` → `embedding (n, DIM)`, any `n`."""
    network.eval()
    torch.onnx.export(
        network.to(memory_format=torch.contiguous_format),
        (torch.zeros(2, 28, 28),),
        str(out),
        input_names=["images"],
        output_names=["embedding"],
        dynamic_axes={"images": {0: "n"}, "embedding": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )


def main() -> None:
    """Train, print the figures, and write the network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=16)
    given = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    data = read_folder(given.source)
    all_images, all_labels = data.index.images, data.index.labels
    taught = Labelled(images=all_images[:-HELD_OUT], labels=all_labels[:-HELD_OUT])
    held_out = Labelled(images=all_images[-HELD_OUT:], labels=all_labels[-HELD_OUT:])

    training = Training(taught, given.epochs)
    checkpoint = given.out.with_name(given.out.name + ".checkpoint")
    if checkpoint.is_file():
        training.restore(torch.load(checkpoint))
    while training.epoch < given.epochs:
        began = time.perf_counter()
        loss = training.run_epoch()
        torch.save(training.state(), checkpoint)
        figures = quality(training.average, taught, held_out)
        took = time.perf_counter() - began
        reached = f"epoch {training.epoch}: loss {loss:.4f}, held out {figures}"
        print(f"{reached} ({took:.0f} s)", flush=True)

    print(f"test images, 60,000 indexed: {quality(training.average, data.index, data.queries)}")
    export(training.average, given.out)
    print(f"{given.out}: {given.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
