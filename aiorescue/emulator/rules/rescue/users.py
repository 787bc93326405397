"""People and groups: looked up, made and changed."""

import re
from collections.abc import Iterator, Mapping

from aiorescue.emulator.people import User
from aiorescue.emulator.rules.call import OK, Call, RefusedError, Room, Said, answers
from aiorescue.emulator.rules.rescue.tree import ADMINISTRATORS, BELOW, GROUPS, MASTERS, PERSONS, TECHNICIANS, Place
from aiorescue.rescue.answers.nodes import Group, NodeType
from aiorescue.rescue.answers.nodes import User as Shown

_LEAST_PASSWORD = 8
_RECORD = re.compile(r"userdata\[(\d+)\]\.(\w+)")
_COUNTED = (MASTERS, ADMINISTRATORS, TECHNICIANS)
#: The account is the master administrator's.
_HOLDER = NodeType.MASTER_ADMINISTRATOR


class Users(Room):
    """The operations on people and groups; both live in the tree."""

    # --- looking up -------------------------------------------------------------------------------

    @answers("getUser", "getUser_v2", "getUser_v3")
    def get_user(self, call: Call) -> Said:
        """A person by node, in version 3 by e-mail address as well; then the technician's node comes first."""
        self.state.access.caller(call)
        node, email = call.values["node"] or 0, call.values.get("email", "")
        if node and email:
            return Said("Invalid_EmailAndNodeIdBothSpecified")
        if email:
            node = self._by_email(email)
        place = self._person(node)
        modern = call.operation.spec.name == "getUser_v3"
        holder = any(each.type is _HOLDER and each.user is place.user for each in self.state.hierarchy.places.values())
        return Said("OK", (_shown(place, holder=place.user is not None and holder, modern=modern),))

    def _by_email(self, email: str) -> int:
        hierarchy = self.state.hierarchy
        kinds = ((NodeType.TECHNICIAN,), PERSONS)
        found = next((node for each in kinds if (node := hierarchy.node_of(email.lower(), *each))), 0)
        if not found:
            raise RefusedError("InvalidParam_Email")
        return found

    def _person(self, node: int | None) -> Place:
        place = self.state.hierarchy.place(node)
        if place.type not in PERSONS:
            raise RefusedError("InvalidParam_NodeID")
        return place

    @answers("getGroup", "getGroup_v2")
    def get_group(self, call: Call) -> Said:
        """A group and its permissions."""
        self.state.access.caller(call)
        return Said("OK", (_group(self._group(call), modern=call.operation.spec.name == "getGroup_v2"),))

    def _group(self, call: Call) -> Place:
        place = self.state.hierarchy.place(call.values["node"])
        if place.type not in GROUPS and place.id not in _COUNTED:
            raise RefusedError("InvalidParam_NodeID")
        return place

    # --- making -----------------------------------------------------------------------------------

    @answers("createUser", "createGroup")
    def create(self, call: Call) -> Said:
        """An empty person or group below a node where such a one may be."""
        hierarchy = self.state.hierarchy
        hierarchy.changer(call)
        parent = hierarchy.place(call.values["parent"], "InvalidParam_Parent")
        person, group = BELOW.get(parent.type, (None, None))
        kind = group if call.operation.spec.name == "createGroup" else person
        if kind is None:
            return Said("InvalidParam_Parent")
        return Said("OK", (str(hierarchy.tree.add(parent.id, kind).id),))

    @answers("createUsers")
    def create_users(self, call: Call) -> Said:
        """Many people at once; all of them or nobody."""
        hierarchy = self.state.hierarchy
        hierarchy.changer(call)
        rows = list(_records(call.fields or {}))
        if not rows or any(self._refusal(row) for row in rows):
            return Said("Error")
        for row in rows:
            parent = hierarchy.places[int(row["parentid"])]
            place = hierarchy.tree.add(parent.id, BELOW[parent.type][0])
            place.nick, place.sso_id = row.get("nick", ""), row.get("ssoid", "")
            self._fill(place, row["name"], row["email"], row["pwd"], enabled=row.get("status") != "Disabled")
        return OK

    def _refusal(self, row: Mapping[str, str]) -> bool:
        parent = row.get("parentid", "")
        place = self.state.hierarchy.places.get(int(parent)) if parent.isdecimal() else None
        complete = all(row.get(name) for name in ("uniqueid", "name", "email", "pwd"))
        confirmed = row.get("pwd") == row.get("confpwd")
        known = row.get("email", "").lower() in self.state.users
        return place is None or place.type not in BELOW or not complete or not confirmed or known

    # --- changing ---------------------------------------------------------------------------------

    @answers("setUser", "setUser_v2")
    def set_user(self, call: Call) -> Said:
        """A person's record, all of it; a password only where one is given."""
        caller = self.state.hierarchy.changer(call)
        values = call.values
        place = self._person(values["node"])
        password = values["password"]
        self._check(place, values["name"], values["email"], password)
        own = place.user is caller and place.type is NodeType.MASTER_ADMINISTRATOR
        if own and password and values["current_password"] != caller.password:
            return Said("InvalidParam_Missing_Current_Password")
        place.nick, place.sso_id = values["nick"], values["sso_id"]
        place.description, place.mobile_addon = values["description"], _true(values["mobile_addon"])
        place.rpat_addon = _true(values.get("rpat_addon", place.rpat_addon))
        self._fill(place, values["name"], values["email"], password, enabled=_true(values["enabled"]))
        return OK

    def _check(self, place: Place, name: str, email: str, password: str) -> None:
        taken = self.state.users.get(email.lower())
        for wrong, word in (
            (not name.strip(), "InvalidParam_Name"),
            ("@" not in email, "InvalidParam_Email"),
            (taken is not None and taken is not place.user, "InvalidParam_Email_Already_In_Use"),
            (len(password.split()) > 1, "InvalidParam_Password_Cannot_Contain_Whitespace_Characters"),
            (
                0 < len(password) < _LEAST_PASSWORD,
                "InvalidParam_Password_Has_To_Be_At_Least_8_Characters_Long",
            ),
        ):
            if wrong:
                raise RefusedError(word)

    def _fill(self, place: Place, name: str, email: str, password: str, *, enabled: bool) -> None:
        """A node and the person behind it, who is new if it was empty."""
        users, hierarchy = self.state.users, self.state.hierarchy
        place.name, place.seat = name, enabled
        user = place.user
        if user is None:
            user = place.user = User(email.lower(), password, console=False)
        users.pop(user.email, None)
        user.email, user.name = email.lower(), name
        user.password = password or user.password
        users[user.email] = user
        for other in hierarchy.places.values():
            if other.user is user:
                other.name = name
        hierarchy.has_changed(user)

    @answers("setUserStatus_v7_1")
    def set_status(self, call: Call) -> Said:
        """A person is enabled or disabled in one role."""
        self.state.hierarchy.changer(call)
        place = self._person(call.values["node"])
        place.seat = _true(call.values["enabled"])
        self.state.hierarchy.has_changed(place.user)
        return OK

    @answers("setGroup", "setGroup_v2")
    def set_group(self, call: Call) -> Said:
        """A group's record; permissions only where some are given."""
        self.state.hierarchy.changer(call)
        place, values = self._group(call), call.values
        if not values["name"].strip():
            return Said("InvalidParam_Name")
        place.name, place.seat, place.description = values["name"], _true(values["enabled"]), values["description"]
        place.permissions = _names(values["permissions"]) or place.permissions
        place.locked_permissions = _names(values["locked_permissions"]) or place.locked_permissions
        return OK


def _true(value: object) -> bool:
    return str(value) in ("Enabled", "True")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _records(fields: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The records among fields that are called ``USERDATA[0].name``."""
    rows: dict[int, dict[str, str]] = {}
    for name, value in fields.items():
        found = _RECORD.fullmatch(name)
        if found is not None:
            rows.setdefault(int(found[1]), {})[found[2]] = value
    yield from (rows[index] for index in sorted(rows))


def _shown(place: Place, *, holder: bool, modern: bool) -> Shown:
    return Shown(
        id=place.id,
        name=place.name,
        nick=place.nick,
        email=place.email,
        sso_id=place.sso_id,
        description=place.description,
        type=place.type,
        status=place.status,
        account_holder=holder,
        mobile_addon=place.mobile_addon,
        rpat_addon=place.rpat_addon if modern else None,
    )


def _group(place: Place, *, modern: bool) -> Group:
    return Group(
        id=place.id,
        name=place.name,
        description=place.description,
        type=place.type,
        permissions=place.permissions,
        locked_permissions=place.locked_permissions,
        enabled=place.seat,
        standard_limit=0,
        mobile_limit=0,
        rpat_limit=0 if modern else None,
    )
