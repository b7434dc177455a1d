"""Networks of word pieces: what is beside a text makes no difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jina_cli.errors import InputMissing
from jina_cli.executors.encoders.onnx_session import BadModel
from jina_cli.executors.encoders.token_network import Floats, TokenNetwork
from jina_cli.executors.encoders.tokens import Tokens
from tests.testing.onnx_bytes import FLOAT, INT64, Node, Value, network
from tests.testing.text_networks import scaled_by_the_batch, text_model, text_tower

pytest.importorskip("onnxruntime")

RED, GREEN, BLUE = 5, 6, 7


def tokens(*ids: int) -> Tokens:
    return Tokens(list(ids), [0] * len(ids))


def total(said: Floats) -> Floats:
    return said.sum(0) if said.ndim == 2 else said


def opened(folder: Path, *, threads: int = 1, batch_size: int = 64) -> TokenNetwork:
    file = folder / "model.onnx"
    made = TokenNetwork(file, threads=threads, batch_size=batch_size, what="a test")
    made.warm_up(tokens(*(n % 10 for n in range(64))), total)
    return made


@pytest.mark.parametrize("threads", [1, 3])
def test_each_text_gets_its_own_numbers_in_the_order_of_the_texts(
    tmp_path: Path, threads: int
) -> None:
    run = opened(text_model(tmp_path / "model"), threads=threads, batch_size=2)
    texts = [tokens(RED), tokens(GREEN, GREEN), tokens(BLUE), tokens(RED), tokens(RED, BLUE)]

    said = run(texts, total)

    assert said.tolist() == [[1, 0, 0], [0, 2, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]]
    assert run.is_together
    run.close()


def test_a_network_whose_numbers_depend_on_the_run_gets_one_text_at_a_time(tmp_path: Path) -> None:
    run = opened(scaled_by_the_batch(tmp_path / "model"))
    texts = [tokens(RED, RED), tokens(GREEN, 0), tokens(BLUE, BLUE)]

    together = run(texts, total)

    assert not run.is_together
    assert np.array_equal(together, np.concatenate([run([one], total) for one in texts]))


def test_a_network_of_one_length_gets_texts_filled_up_to_it(tmp_path: Path) -> None:
    run = opened(text_tower(tmp_path / "model", length=10))

    said = run([tokens(RED, GREEN), tokens(BLUE)], total)

    assert run.fixed_length == 10
    assert said == pytest.approx(np.array([[0.1, 0.1, 0], [0, 0, 0.1]]))


def test_an_output_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    file = text_model(tmp_path / "model") / "model.onnx"

    with pytest.raises(BadModel, match="has no output 'logits': its outputs are last_hidden_state"):
        TokenNetwork(file, threads=1, output="logits", what="a test")


def test_a_network_that_takes_something_else_is_named(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    takes, gives = Value("images", FLOAT, ["n", 3]), Value("out", FLOAT, ["n", 3])
    file.write_bytes(network([Node("Abs", ["images"], ["out"])], [takes], [gives], {}))

    with pytest.raises(BadModel, match="takes images tensor"):
        TokenNetwork(file, threads=1, what="a test")


def test_a_network_that_gives_no_vectors_is_named(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    takes, gives = Value("input_ids", INT64, ["n", "s"]), Value("out", INT64, ["n", "s"])
    nodes = [
        Node("Abs", ["input_ids"], ["one"]),
        Node("ReduceSum", ["one"], ["out"], {"keepdims": 0}),
    ]
    file.write_bytes(network(nodes, [takes], [gives], {}))
    run = TokenNetwork(file, threads=1, what="a test")

    with pytest.raises(BadModel, match=r"gives out of shape \(\)"):
        run([tokens(1, 2)], total)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"none\.onnx of a test is not there"):
        TokenNetwork(tmp_path / "none.onnx", threads=1, what="a test")
