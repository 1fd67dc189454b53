"""Signature Version 4 gives the values that AWS published: its worked example, and its test suite."""

from datetime import UTC, datetime

import pytest

from evenhand.infra.kms.sigv4 import Credentials, sign, signing_key

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
WHEN = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def signature(
    method: str, url: str, headers: dict[str, str], body: bytes, service: str, token: str | None = None
) -> str:
    signed = sign(
        method, url, headers, body,
        credentials=Credentials("AKIDEXAMPLE", SECRET, token), region="us-east-1", service=service, now=WHEN,
    )  # fmt: skip
    return signed["authorization"]


def test_signing_key_of_the_worked_example() -> None:
    assert (
        signing_key(SECRET, "20150830", "us-east-1", "iam").hex()
        == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    )


def test_the_worked_example() -> None:
    """ListUsers, from "Signature Version 4 signing process" in the AWS General Reference."""
    url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"
    assert signature("GET", url, FORM, b"", "iam") == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "names", "expected"),
    [
        ("GET", "/", {}, b"", "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),  # get-vanilla
        ("POST", "/", {}, b"", "host;x-amz-date",
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),  # post-vanilla
        ("GET", "/?Param2=value2&Param1=value1", {}, b"", "host;x-amz-date",
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),  # get-vanilla-query-order-key-case
        ("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, b"Param1=value1",
         "content-type;host;x-amz-date",
         "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),  # post-x-www-form-urlencoded
        ("GET", "/", {"My-Header1": "value4,value1,value3,value2"}, b"", "host;my-header1;x-amz-date",
         "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"),  # get-header-value-order
    ],
)  # fmt: skip
def test_the_test_suite(
    method: str, path: str, headers: dict[str, str], body: bytes, names: str, expected: str
) -> None:
    url = f"https://example.amazonaws.com{path}"
    found = signature(method, url, headers, body, "service")
    assert found.endswith(f"SignedHeaders={names}, Signature={expected}")


def test_everything_is_signed() -> None:
    """Another method, path, query, header, body or token gives another signature."""
    base = ("POST", "https://kms.example/", {"x-amz-target": "TrentService.Encrypt"}, b"{}", "kms", "token")
    others = [
        ("PUT", *base[1:]),
        (base[0], "https://kms.example/other", *base[2:]),
        (base[0], "https://kms.example/?a=1", *base[2:]),
        (base[0], "https://other.example/", *base[2:]),
        (*base[:2], {"x-amz-target": "TrentService.Decrypt"}, *base[3:]),
        (*base[:3], b"{ }", *base[4:]),
        (*base[:4], "iam", base[5]),
        (*base[:5], "another"),
    ]
    signatures = {signature(*case).rpartition("=")[2] for case in (base, *others)}
    assert len(signatures) == 1 + len(others)


def test_the_secret_is_not_shown() -> None:
    shown = repr(Credentials("AKIDEXAMPLE", SECRET, "a session token"))
    assert "AKIDEXAMPLE" in shown and SECRET not in shown and "a session token" not in shown
