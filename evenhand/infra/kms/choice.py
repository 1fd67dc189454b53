"""Which key service an organisation has chosen, and how it is opened. Without a choice it is the installation's own folder."""

import re
import ssl
from typing import Literal

import msgspec

from evenhand.infra.kms.aws import AwsKeys
from evenhand.infra.kms.port import KeyNotUsable, KeyService
from evenhand.infra.kms.sigv4 import Credentials
from evenhand.infra.kms.vault import VaultKeys

Kind = Literal["local", "aws", "vault"]
_REGION = re.compile(r"[a-z0-9-]{3,40}")
_PLAIN = re.compile(r"[\x21-\x7e]{0,4096}")  # what can stand in an address or a header


class Choice(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A key service with what opens it. `address`: Vault's, or a private endpoint of AWS. `authority`: its certificate
    authority in PEM, where that is a private one. Token and secret keys are never shown again."""

    kind: Kind
    key_id: str = ""
    address: str = ""
    region: str = ""
    mount: str = "transit"
    namespace: str = ""
    authority: str = ""
    token: str = ""
    access_key: str = ""
    secret_key: str = ""
    session_token: str = ""

    def __repr__(self) -> str:
        return f"Choice({self.kind!r}, {self.key_id!r}, secrets not shown)"

    @property
    def where(self) -> str:
        """The service in words, without secrets."""
        return {"local": "this installation", "aws": f"AWS KMS {self.region}", "vault": f"Vault {self.address}"}[
            self.kind
        ]


def open_service(choice: Choice, local: KeyService) -> KeyService:
    """Raises KeyNotUsable where something is missing or is no address."""
    if choice.kind == "local":
        return local
    for name, value in msgspec.structs.asdict(choice).items():
        if name != "authority" and not _PLAIN.fullmatch(value):
            raise KeyNotUsable(f"`{name}` holds what no key service takes.", hint="Copy it again, without line breaks.")
    trust = _trust(choice.authority) if choice.authority else None
    if choice.kind == "vault":
        if not choice.address or not choice.token:
            raise KeyNotUsable(
                "Vault needs an address and a token.", hint="Give both; the token needs update rights only."
            )
        namespace = choice.namespace or None
        return VaultKeys(choice.address, choice.token, mount=choice.mount, namespace=namespace, trust=trust)
    if not _REGION.fullmatch(choice.region) or not choice.access_key or not choice.secret_key:
        raise KeyNotUsable("AWS KMS needs a region, an access key and a secret key.", hint="Such as eu-central-1.")
    credentials = Credentials(choice.access_key, choice.secret_key, choice.session_token or None)
    return AwsKeys(choice.region, credentials, endpoint=choice.address or None, trust=trust)


def _trust(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError):
        raise KeyNotUsable("The certificate authority is not PEM.", hint="Give the whole file, BEGIN to END.") from None
