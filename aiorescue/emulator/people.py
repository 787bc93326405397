"""Who the emulator knows from the start, and what each of them may do."""

from collections.abc import Iterator

import attrs


@attrs.define
class User:
    """A person who may call.

    Attributes:
        email: the login name, on both services.
        password: the password, on both services.
        auth_code: an auth code that nothing replaces, for tests; empty for none.
        administrator: may act on sessions.
        technician: may ask for PIN codes.
        lens: may ask for Lens PIN codes.
        console: the Technician Console is running.
        deleted: neither logs in nor calls.
        disabled: neither logs in nor calls.
        no_ticket: infoRouter's configured system administrator, who is issued no tickets.
        name: of the person; left out, the one before the @.
    """

    email: str
    password: str = attrs.field(default="secret", repr=False)
    auth_code: str = attrs.field(default="", repr=False)
    administrator: bool = True
    technician: bool = True
    lens: bool = True
    console: bool = True
    deleted: bool = False
    disabled: bool = False
    no_ticket: bool = False
    name: str = ""

    @property
    def gone(self) -> bool:
        """Whether the user may do nothing at all."""
        return self.deleted or self.disabled

    @property
    def sso(self) -> str:
        """The id for single sign-on, and infoRouter's short name: what stands before the @."""
        return self.email.partition("@")[0].lower()

    @property
    def shown(self) -> str:
        """The name that others see."""
        return self.name or self.sso.capitalize()


def default_users() -> Iterator[User]:
    """The cast of the reference captures."""
    yield User("tech@example.com", auth_code="fixedtech0000", name="John Doe")
    yield User("second@example.com", auth_code="fixedsecond0000", name="Jane Roe")
    yield User("admin@example.com", auth_code="fixedadmin0000", technician=False)
    yield User("nolens@example.com", auth_code="fixednolens0000", lens=False)
    yield User("offline@example.com", auth_code="fixedoffline0000", console=False)
    yield User("plain@example.com", auth_code="fixedplain0000", administrator=False)
    yield User("disabled@example.com", auth_code="fixeddisabled0000", disabled=True)
    yield User("deleted@example.com", auth_code="fixeddeleted0000", deleted=True)
    yield User("sysadmin@example.com", no_ticket=True)
