"""The signature of an internal call: the documented example, and the one form that is taken."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from shared.signing.signature import SCHEME, Call, identify, parse, sign
from shared.signing.signer import CallSigner

KEY = "k" * 32
CALL = Call("POST", "/task/add?x=1", "application/json")
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "task-api.md"


def _signature(**changes: str) -> str:
    return sign(KEY, CALL, b"{}", timestamp=1_767_225_600, nonce=changes.get("nonce", "n" * 16)).to_header()


def test_documented_example_is_what_is_computed() -> None:
    section = DOCUMENT.read_text().partition("## 5. ")[2]
    request, text, header = re.findall(r"^```\n(.*?)\n```$", section, re.DOTALL | re.MULTILINE)
    (key,) = re.findall(r"For the key\n`([^`]+)`", section)
    head, body = request.split("\n\n")
    method, target = head.split(" ")[:2]
    content_type = head.partition("Content-Type: ")[2]
    _, key_id, timestamp, nonce, *_ = text.split("\n")

    signature = sign(key, Call(method, target, content_type), body.encode(), timestamp=int(timestamp), nonce=nonce)

    assert signature.to_header() == header
    assert text.split("\n") == [
        SCHEME, identify(key), timestamp, nonce, method, target, content_type, signature.body_sha256
    ]  # fmt: skip
    assert key_id == signature.key_id


def test_header_and_signature_are_one_another() -> None:
    signature = parse(_signature())

    assert signature is not None
    assert signature.to_header() == _signature()
    assert signature.is_by(KEY, CALL)


@pytest.mark.parametrize("part", ["method", "target", "content_type"])
def test_each_part_of_the_call_is_signed(part: str) -> None:
    signature = parse(_signature())

    assert signature is not None
    assert not signature.is_by(KEY, replace(CALL, **{part: getattr(CALL, part) + "x"}))


@pytest.mark.parametrize("nonce", ["n" * 15, "n" * 65, "n" * 15 + "é", "n" * 15 + " ", ""])
def test_a_nonce_of_another_form_is_no_signature(nonce: str) -> None:
    assert parse(_signature(nonce=nonce)) is None


@pytest.mark.parametrize("extra", ["\n", " ", ",", "\r\n", "\0"])
def test_nothing_may_follow(extra: str) -> None:
    assert parse(_signature() + extra) is None


def test_a_call_made_again_is_another_call() -> None:
    signer = CallSigner(KEY)

    headers = {signer.sign(CALL, b"{}") for _ in range(9)}

    assert len(headers) == 9
    assert all(signature is not None and signature.is_by(KEY, CALL) for signature in map(parse, headers))
