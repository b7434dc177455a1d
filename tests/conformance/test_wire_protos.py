"""The committed protobuf descriptions are what their sources say."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from jina_cli.wire.descriptors import DESCRIPTOR_SET, PROTO_DIR

INCLUDES = Path(protoc.__file__).parent / "_proto"


def test_the_descriptor_set_is_what_the_proto_files_compile_to(tmp_path: Path) -> None:
    out = tmp_path / "jina.binpb"

    arguments = ["protoc", f"-I{PROTO_DIR}", f"-I{INCLUDES}", "--include_imports"]
    assert protoc.main([*arguments, f"--descriptor_set_out={out}", "jina.proto"]) == 0

    compiled = FileDescriptorSet.FromString(out.read_bytes())
    committed = FileDescriptorSet.FromString(DESCRIPTOR_SET.read_bytes())
    assert compiled == committed, (
        "run in jina_cli/wire/proto: python -m grpc_tools.protoc -I. --include_imports "
        "--descriptor_set_out=jina.binpb jina.proto"
    )


FIELDS = {
    "jina.DataRequestProto": "1 header, 2 parameters, 3 routes, 4 data",
    "jina.DataRequestProto.DataContentProto": "1 docs, 2 docs_bytes",
    "jina.HeaderProto": (
        "1 request_id, 2 status, 3 exec_endpoint, 4 target_executor, 5 timeout, 1000 jina_marks"
    ),
    "jina.StatusProto": "1 code, 2 description, 3 exception, 1000 jina_status",
    "jina.StatusProto.ExceptionProto": "1 name, 2 args, 3 stacks, 4 executor",
    "jina.RouteProto": "1 executor, 2 start_time, 3 end_time, 4 status",
    "jina.SingleDocumentRequestProto": "1 header, 2 parameters, 3 routes, 4 document",
    "jina.EndpointsProto": "1 endpoints, 2 write_endpoints, 3 schemas",
    "docarray.NodeProto": (
        "1 text, 2 integer, 3 float, 4 boolean, 5 blob, 6 ndarray, 7 doc, 8 doc_array, "
        "9 list, 10 set, 11 tuple, 12 dict, 13 type"
    ),
    "docarray.DenseNdArrayProto": "1 buffer, 2 shape, 3 dtype",
}


def test_fields_have_the_numbers_that_jina_gave_them() -> None:
    from jina_cli.wire.descriptors import pool

    assert {
        name: ", ".join(
            f"{field.number} {field.name}" for field in pool().FindMessageTypeByName(name).fields
        )
        for name in FIELDS
    } == FIELDS


def test_docarrays_own_descriptions_may_be_loaded_beside_ours() -> None:
    from docarray.proto import DocListProto

    from jina_cli.wire.descriptors import message_class

    ours, theirs = message_class("docarray.DocListProto")(), DocListProto()
    ours.docs.add().data["text"].text = "a"
    theirs.ParseFromString(ours.SerializeToString())

    assert theirs.docs[0].data["text"].text == "a"
