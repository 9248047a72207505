"""The guard in front of everything: whose host is asked for, who needs a key, and who has one that opens."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import parse_qsl, urlsplit

from app.domain.errors import (
    BadParameter,
    HeadersTooLarge,
    KeyRefused,
    TooLong,
    WrongHost,
    WrongMethod,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
LONGEST_URL = 8 * 1024
LARGEST_HEADERS = 16 * 1024
METHODS = ("GET", "HEAD", "OPTIONS")
API = "/meters/api/"
"""Where PowerShaper's own API stands. Its programs send `Authorization: Token`, and read its own errors."""
OPEN_PATHS = frozenset({"/docs", "/openapi.json", "/healthz", "/readyz"})
PROXY_HEADERS = frozenset({"forwarded", "via", "x-real-ip", "true-client-ip"})
PROXY_PREFIXES = ("x-forwarded-", "cf-", "tailscale-", "ngrok-")
OWN_SITE = frozenset({"none", "same-origin"})
IPV6_HOME_BITS = 64
MAKE_A_KEY = "Whoever runs this service makes one with: powershaper-sheets keys create --name NAME"


@dataclass(frozen=True, slots=True)
class Doors:
    """How a service can be reached: its public hosts' names, and the proxies whose word about a client is taken.

    `only_loopback`: it listens on loopback and no public address is set, so that this machine's own need no key.
    """

    public_hosts: frozenset[str]
    only_loopback: bool
    trusted_proxies: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """What the guard looks at. Header names are in small letters; `peer` is the address at the other end, if any.

    `path` is decoded, `query` is not; `url_bytes` is how long both were when they came.
    """

    method: str
    path: str
    query: str
    http_version: str
    peer: Address | None
    headers: Sequence[tuple[str, str]]
    url_bytes: int = 0

    def header(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key == name]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The decoded parameters."""
        return parse_qsl(self.query, keep_blank_values=True)


def check_form(call: Call, doors: Doors) -> None:
    """Raises what no key can mend: TooLong, HeadersTooLarge, WrongHost, WrongMethod."""
    if call.url_bytes > LONGEST_URL:
        raise TooLong("The address is longer than 8 kB.", remedy="Ask for fewer meters or columns.")
    if sum(len(name) + len(value) for name, value in call.headers) > LARGEST_HEADERS:
        raise HeadersTooLarge("The headers are larger than 16 kB.", remedy="Send fewer headers or cookies.")
    if not _is_ours(call, doors):
        raise WrongHost(
            "The request names a host that is not this service's.",
            remedy="Use the address that the service prints when it starts; whoever runs it can add another to "
            "POWERSHAPER_PUBLIC_URL.",
        )
    if call.method not in METHODS:
        raise WrongMethod("This address is only read.", remedy="Use GET or HEAD.")


def needs_key(call: Call, doors: Doors) -> bool:
    """Whether a call without a key is refused: unless it comes from this very machine and through no proxy."""
    if call.path in OPEN_PATHS or call.path.startswith("/docs/"):
        return False
    return not (
        doors.only_loopback
        and call.http_version == "1.1"
        and call.peer is not None
        and _unmapped(call.peer).is_loopback
        and _is_loopback(_host_name(call))
        and set(call.header("sec-fetch-site")) <= OWN_SITE
        and not any(name in PROXY_HEADERS or name.startswith(PROXY_PREFIXES) for name, _ in call.headers)
    )


def is_api(path: str) -> bool:
    """Whether a path is one of PowerShaper's own API."""
    return path.startswith(API)


def given_key(call: Call) -> str | None:
    """The access key of a call: `key=`, Bearer, the password of Basic, or, of PowerShaper's own API, Token.

    None if there is none.

    BadParameter if two differ or one is given twice in the address.
    """
    in_address = [value for name, value in call.pairs if name == "key"]
    if len(in_address) > 1:
        raise BadParameter("The parameter key stands there twice.", remedy="Give key once.")
    in_headers = [
        key for value in call.header("authorization") if (key := _key_of(value, is_api(call.path))) is not None
    ]
    keys = set(in_address + in_headers)
    if len(keys) > 1:
        raise BadParameter(
            "The parameter key and the header Authorization hold two different keys.", remedy="Give one of them."
        )
    return keys.pop() if keys else None


def refused(given: str | None) -> KeyRefused:
    """Why a call is not let in."""
    if given is None:
        return KeyRefused(
            "This address needs an access key.",
            remedy=f"Add key= and the key to the link, or give it as the password. {MAKE_A_KEY}",
        )
    return KeyRefused(
        "The access key is wrong, revoked or expired.",
        remedy=f"Copy it again, whole: pss_ and 36 letters and digits. {MAKE_A_KEY}",
    )


def client_of(call: Call, doors: Doors) -> str:
    """Who counts as one caller: the address, of IPv6 the home's /64; behind trusted proxies what they say it is."""
    address = call.peer
    hops = [hop.strip() for value in call.header("x-forwarded-for") for hop in value.split(",")]
    while hops and address is not None and any(_unmapped(address) in network for network in doors.trusted_proxies):
        try:
            address = ip_address(hops.pop())
        except ValueError:
            break
    if address is None:
        return "unknown"
    address = _unmapped(address)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_HOME_BITS), strict=False))
    return str(address)


def host_names(urls: Iterable[str]) -> frozenset[str]:
    """The names of the hosts of addresses, as a request may give them."""
    return frozenset(name for url in urls if (name := _name(urlsplit(url).netloc)))


def _is_ours(call: Call, doors: Doors) -> bool:
    name = _host_name(call)
    return _is_loopback(name) or name in doors.public_hosts


def _is_loopback(name: str) -> bool:
    """Whether a host is this machine by a name that no DNS can point elsewhere."""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _host_name(call: Call) -> str:
    """The host without its port, in small letters; empty if there is not exactly one."""
    hosts = call.header("host")
    return _name(hosts[0]) if len(hosts) == 1 else ""


def _name(host: str) -> str:
    try:
        parts = urlsplit(f"//{host}")
        if parts.username is not None or parts.path or parts.query or parts.fragment:
            return ""
        _ = parts.port  # raises for what is no port
        return (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _unmapped(address: Address) -> Address:
    return getattr(address, "ipv4_mapped", None) or address


def _key_of(authorization: str, takes_token: bool) -> str | None:  # noqa: FBT001 - the one choice that there is
    """The key of an Authorization header; empty, which is wrong, if it can't be read; None if it is of another kind."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer" or (takes_token and scheme.lower() == "token"):
        return rest.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
