"""The door of the dashboard: open on this machine alone, else to people who are named and logged in."""

import streamlit as st

from ecgviz.access import allowed_in, check_login, is_loopback, may_enter, takes_as_verified
from ecgviz.errors import AccessError


def required() -> None:
    """End the run unless this machine alone is served, or somebody who is allowed has logged in.

    Where a login is configured it is asked for on this machine too.
    """
    secrets = st.secrets.to_dict() if st.secrets.load_if_toml_exists() else {}
    if "auth" not in secrets and is_loopback(st.get_option("server.address")):
        return
    try:
        check_login(secrets)
    except AccessError as refusal:
        if is_loopback(st.get_option("server.address")):
            st.error(f"A login is configured, and {refusal}: nothing is shown. Complete secrets.toml, or take [auth] "
                     "out of it: this server can be reached from this machine only.")  # fmt: skip
        else:
            st.error(f"This server can be reached from other machines, and {refusal}: nothing is shown. Start it with "
                     "`ecgviz app`, which serves this machine only.")  # fmt: skip
        st.stop()
    if not st.user.is_logged_in:
        st.info("This server shows recordings of people: log in first.")
        st.button("Log in", on_click=st.login, type="primary")
        st.stop()
    if not may_enter(st.user.to_dict(), allowed_in(secrets), unsaid_is_verified=takes_as_verified(secrets)):
        st.error("Your account is not among those that may use this server, or its provider does not say that your "
                 "address is verified; ask whoever runs the server.")  # fmt: skip
        st.button("Log out", on_click=st.logout)
        st.stop()
    with st.sidebar:
        st.button("Log out", on_click=st.logout, type="tertiary")
