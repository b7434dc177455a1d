"""A Gateway with a certificate serves gRPC and HTTP over TLS, and nothing in the clear."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import grpc
import grpc.aio
import httpx
import pytest

from jina_cli.lifeline import FailedSaid
from jina_cli.vocabulary import Protocol
from jina_cli.wire import jina3
from jina_cli.wire.messages import Request
from tests.testing.certificates import a_certificate
from tests.testing.gateways import a_gateway, a_pea, a_route, run

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


def test_both_protocols_are_served_over_tls_alone(folder: Path) -> None:
    certificate, key = a_certificate(folder)
    files = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}

    async def scenario() -> None:
        async with (
            a_pea(folder / "pod") as pod,
            a_gateway(folder, [a_route("pod", pod)], **files) as gateway,
        ):
            context = ssl.create_default_context(cafile=str(certificate))
            async with httpx.AsyncClient(trust_env=False, verify=context) as client:
                url = f"https://{gateway.addresses['http']}/x"
                response = await client.post(url, json={"data": [{"id": "1"}]})
                assert response.status_code == 200
                with pytest.raises(httpx.HTTPError):
                    await client.post(url.replace("https", "http"), json={})
            credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
            async with grpc.aio.secure_channel(gateway.addresses["grpc"], credentials) as channel:
                call = channel.unary_unary("/jina.JinaSingleDataRequestRPC/process_single_data")
                message = jina3.write_data_request(Request(endpoint="/x", request_id="7"))
                assert jina3.read_data_response(await call(message)).request_id == "7"

    run(scenario())


@pytest.mark.parametrize("protocol", [Protocol.GRPC, Protocol.HTTP])
def test_a_certificate_that_is_none_is_said_and_nothing_is_started(
    folder: Path, protocol: Protocol
) -> None:
    (folder / "cert.pem").write_text("no certificate")
    files = {"ssl_certfile": str(folder / "cert.pem"), "ssl_keyfile": str(folder / "key.pem")}

    async def scenario() -> tuple[FailedSaid, int]:
        route = a_route("pod", f"unix:{folder / 'pod'}")
        async with a_gateway(folder, [route], (protocol,), wait_ready=False, **files) as gateway:
            said = await gateway.hear(FailedSaid)
            assert isinstance(said, FailedSaid)
            return said, await gateway.ended(5)

    said, code = run(scenario())

    assert said.kind == "init"
    assert said.cause.startswith(f"cannot use the certificate {folder / 'cert.pem'}")
    assert code == 69
