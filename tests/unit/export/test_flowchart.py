"""The picture of a Flow, as mermaid text and as SVG."""

from __future__ import annotations

from textwrap import dedent
from xml.etree import ElementTree

import pytest

from jina_cli.export.flowchart import mermaid, svg
from jina_cli.plan.models import Plan
from jina_cli.vocabulary import Protocol
from tests.testing.plans import a_flow, a_pod, planned

SVG = "{http://www.w3.org/2000/svg}"


def a_plan() -> Plan:
    return planned(
        a_flow(
            a_pod("encode", "/flows/encode.py:Encode", replicas=2),
            a_pod("log", floating=True),
            a_pod("index", "VectorIndexer", shards=2, replicas=3),
            a_pod("rank", needs="encode", external=True, host=("a", "b", "c"), port=(1,), tls=True),
            a_pod("end", needs=("index", "rank"), when={"tags__a": {"$eq": 1}}),
            protocol=(Protocol.GRPC, Protocol.HTTP),
            port=(0, 8080),
        )
    )


def test_mermaid_says_kinds_counts_and_arrows() -> None:
    assert mermaid(a_plan()) == dedent("""\
        flowchart LR
            n0(["<b>gateway</b><br/>grpc :any<br/>http :8080"]):::edge
            n1["<b>encode</b><br/>Encode<br/>2 replicas"]:::pod
            n2["<b>log</b><br/>BaseExecutor"]:::floating
            n3["<b>index</b><br/>VectorIndexer<br/>2 shards × 3 replicas<br/>/count /dump /search /status ALL, others ANY"]:::pod
            n4[["<b>rank</b><br/>grpcs://a:1<br/>grpcs://b:1<br/>and 1 more"]]:::external
            n5{{"<b>end</b><br/>BaseExecutor<br/>only some documents"}}:::join
            n6(["<b>answer</b>"]):::edge
            n0 --> n1
            n1 -.-> n2
            n1 --> n3
            n1 --> n4
            n3 --> n5
            n4 --> n5
            n5 --> n6
            classDef edge fill:#2c6e63,stroke:#2c6e63,color:#ffffff
            classDef external fill:#fdf3e1,stroke:#c08a2d,color:#1d2733
            classDef floating fill:#f2f4f6,stroke:#8593a1,color:#1d2733,stroke-dasharray:5 4
            classDef join fill:#f3ecfa,stroke:#8a63b0,color:#1d2733
            classDef pod fill:#eaf1fb,stroke:#4a78b5,color:#1d2733
        """)  # noqa: E501 (as it is written)


def test_mermaid_can_run_from_top_to_bottom() -> None:
    assert mermaid(a_plan(), vertical=True).startswith("flowchart TB\n")


def test_mermaid_escapes_what_it_would_read_as_its_own() -> None:
    plan = planned(a_flow(a_pod("x", 'a.py:<"#>')))

    assert "#lt;#quot;#35;#gt;" in mermaid(plan)


@pytest.mark.parametrize("vertical", [False, True])
def test_svg_is_xml_that_shows_each_pod_and_process_and_fetches_nothing(vertical: bool) -> None:
    root = ElementTree.fromstring(svg(a_plan(), vertical=vertical))

    texts = [text.text for text in root.iter(f"{SVG}text")]
    for name in ("gateway", "encode", "log", "index", "rank", "end", "answer"):
        assert name in texts
    cells = [r for r in root.iter(f"{SVG}rect") if r.get("fill") == "#ffffff"]
    assert len(cells) == 2 + 2 * 3
    assert len([p for p in root.iter(f"{SVG}path") if p.get("marker-end")]) == 7
    links = [value for e in root.iter() for value in e.attrib.values() if "http" in value]
    assert links == []


def test_svg_turns_with_the_direction() -> None:
    def width_over_height(text: str) -> float:
        root = ElementTree.fromstring(text)
        return float(root.get("width", 0)) / float(root.get("height", 1))

    assert width_over_height(svg(a_plan())) > 1 > width_over_height(svg(a_plan(), vertical=True))


def test_many_processes_are_cut_short() -> None:
    plan = planned(a_flow(a_pod("x", shards=20, replicas=30)))
    root = ElementTree.fromstring(svg(plan))

    assert len([r for r in root.iter(f"{SVG}rect") if r.get("fill") == "#ffffff"]) == 6 * 8


def test_markup_in_names_is_text() -> None:
    plan = planned(a_flow(a_pod("x", "a.py:<b>&"), name="<flow>"))
    root = ElementTree.fromstring(svg(plan))

    assert root.findtext(f"{SVG}title") == "<flow>"
    assert "<b>&" in [text.text for text in root.iter(f"{SVG}text")]
