"""Who may reach the dashboard: this machine alone, or named people behind a login.

A login is configured as Streamlit's `st.login` reads it, in ``secrets.toml``: the section ``[auth]`` with an OpenID
Connect provider, and ``[ecgviz]`` with ``allowed``, a list of addresses ("name@hospital.org") or domains
("@hospital.org"). A provider alone would let in everybody who has an account there. Some, such as Microsoft's, do not
say whether they verified an address: ``addresses_are_verified = true`` in ``[ecgviz]`` takes all of theirs as verified.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ecgviz.errors import AccessError

NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
SHORTEST_SECRET = 32


def is_loopback(address: str | None) -> bool:
    """Return whether only this machine reaches an address; None stands for every interface."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "0.0.0.0").is_loopback  # noqa: S104
    except ValueError:
        return False


def check_login(secrets: Mapping[str, Any]) -> str:
    """Return the host at which a configured login expects readers.

    Parameters
    ----------
    secrets : mapping
        What ``secrets.toml`` holds.

    Raises
    ------
    AccessError
        When no login is configured, or what is configured would not keep strangers out.
    """
    login = secrets.get("auth")
    if not isinstance(login, Mapping):
        raise AccessError("no login is configured")
    missing = [name for name in NEEDED if not login.get(name)]
    if missing:
        raise AccessError(f"the section [auth] of secrets.toml lacks {missing[0]}")
    if len(str(login["cookie_secret"])) < SHORTEST_SECRET:
        raise AccessError(f"cookie_secret in secrets.toml is shorter than {SHORTEST_SECRET} characters")
    if not allowed_in(secrets):
        raise AccessError('secrets.toml names nobody who may log in: [ecgviz] allowed = ["name@hospital.org"]')
    host = urlsplit(str(login["redirect_uri"])).hostname
    if host is None:
        raise AccessError("redirect_uri in secrets.toml is no address")
    return host


def allowed_in(secrets: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the addresses and domains that ``secrets.toml`` lets in."""
    section = secrets.get("ecgviz")
    named = section.get("allowed", ()) if isinstance(section, Mapping) else ()
    if isinstance(named, str) or not isinstance(named, Sequence):
        return ()
    return tuple(str(each).casefold() for each in named if "@" in str(each))


def takes_as_verified(secrets: Mapping[str, Any]) -> bool:
    """Return whether ``secrets.toml`` vouches for addresses of which the provider does not say whether it did."""
    section = secrets.get("ecgviz")
    return isinstance(section, Mapping) and section.get("addresses_are_verified") is True


def may_enter(claims: Mapping[str, Any], allowed: Sequence[str], *, unsaid_is_verified: bool = False) -> bool:
    """Return whether the person of these OpenID Connect claims is let in: by a verified address, or its domain.

    At some providers people write in any address, so one counts where the provider says that it has verified it (a few
    say so in text); ``unsaid_is_verified`` also where it says nothing.
    """
    address = str(claims.get("email") or "").casefold()
    said = str(claims.get("email_verified", unsaid_is_verified)).casefold()
    if "@" not in address or said != "true":
        return False
    return address in allowed or f"@{address.rpartition('@')[2]}" in allowed
