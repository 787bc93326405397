"""Users of the emulated services: what a user may do, and the users that exist from the start."""

from collections.abc import Iterator

import attrs


@attrs.define
class EmulatedUser:
    """A user of the emulated services.

    Attributes:
        email: login name on Rescue and on infoRouter.
        password: password on Rescue and on infoRouter.
        auth_code: auth code that is never replaced by a requested one, for tests; empty for none.
        administrator: whether the user may act on sessions and on the hierarchy.
        technician: whether the user may request PIN codes.
        lens: whether the user may request Lens PIN codes.
        console: whether the user's Technician Console runs.
        deleted: whether the user was deleted and can neither log in nor call.
        disabled: whether the user is disabled and can neither log in nor call.
        no_ticket: whether the user is infoRouter's configured system administrator, who is issued no tickets.
        name: full name; empty for the part of the e-mail address before the @.
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
        """Whether the user was deleted or disabled."""
        return self.deleted or self.disabled

    @property
    def sso(self) -> str:
        """Id for single sign-on, and short name on infoRouter: the e-mail address up to the @."""
        return self.email.partition("@")[0].lower()

    @property
    def shown(self) -> str:
        """Full name that other users see."""
        return self.name or self.sso.capitalize()


def default_users() -> Iterator[EmulatedUser]:
    """The users that exist from the start, which are those of the reference captures."""
    yield EmulatedUser("tech@example.com", auth_code="fixedtech0000", name="John Doe")
    yield EmulatedUser("second@example.com", auth_code="fixedsecond0000", name="Jane Roe")
    yield EmulatedUser("admin@example.com", auth_code="fixedadmin0000", technician=False)
    yield EmulatedUser("nolens@example.com", auth_code="fixednolens0000", lens=False)
    yield EmulatedUser("offline@example.com", auth_code="fixedoffline0000", console=False)
    yield EmulatedUser("plain@example.com", auth_code="fixedplain0000", administrator=False)
    yield EmulatedUser("disabled@example.com", auth_code="fixeddisabled0000", disabled=True)
    yield EmulatedUser("deleted@example.com", auth_code="fixeddeleted0000", deleted=True)
    yield EmulatedUser("sysadmin@example.com", no_ticket=True)
