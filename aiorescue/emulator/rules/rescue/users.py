"""Operations on users and groups: look up, create, change."""

from collections.abc import Mapping

from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.call import OK, ReceivedCall, Refusal, Result, Rules, handles, ok
from aiorescue.emulator.rules.rescue.access import Access
from aiorescue.emulator.rules.rescue.hierarchy import Hierarchy
from aiorescue.emulator.rules.rescue.tree import ADMINISTRATORS, BELOW, GROUPS, MASTERS, PERSONS, TECHNICIANS, TreeNode
from aiorescue.rescue.answers import nodes
from aiorescue.rescue.answers.nodes import NodeType

_LEAST_PASSWORD = 8
#: Digits of the largest number of 32 bits.
_LONGEST_NUMBER = 10
#: Nodes that are no groups and are looked up like groups.
_GROUP_LIKE = (MASTERS, ADMINISTRATORS, TECHNICIANS)
#: The role whose user is the holder of the account.
_HOLDER = NodeType.MASTER_ADMINISTRATOR


class Users(Rules):
    """Users and groups, which are nodes of the hierarchy.

    Args:
        access: the users, and which of them calls.
        hierarchy: the nodes.
    """

    def __init__(self, access: Access, hierarchy: Hierarchy) -> None:
        self._access, self._hierarchy = access, hierarchy

    # --- looking up -------------------------------------------------------------------------------

    @handles("getUser", "getUser_v2", "getUser_v3")
    def get_user(self, call: ReceivedCall) -> Result:
        """Answer with the user of a node; in version 3 also of an e-mail address, preferably its technician's node."""
        self._access.user(call)
        number, email = call.values["node"] or 0, call.values.get("email", "")
        if number and email:
            return Result("Invalid_EmailAndNodeIdBothSpecified")
        if email:
            number = self._by_email(email)
        node = self._user_node(number)
        modern = call.name == "getUser_v3"
        holder = any(each.type is _HOLDER and each.user is node.user for each in self._hierarchy.nodes.values())
        return ok(oUser=_user_record(node, holder=node.user is not None and holder, modern=modern))

    def _by_email(self, email: str) -> int:
        roles = ((NodeType.TECHNICIAN,), PERSONS)
        found = next((id_ for each in roles if (id_ := self._hierarchy.node_of(email.lower(), *each))), 0)
        if not found:
            raise Refusal("InvalidParam_Email")
        return found

    def _user_node(self, number: int | None) -> TreeNode:
        node = self._hierarchy.node(number)
        if node.type not in PERSONS:
            raise Refusal("InvalidParam_NodeID")
        return node

    @handles("getGroup", "getGroup_v2")
    def get_group(self, call: ReceivedCall) -> Result:
        """Answer with a group and its permissions."""
        self._access.user(call)
        return ok(oGroup=_group_record(self._group(call), modern=call.name == "getGroup_v2"))

    def _group(self, call: ReceivedCall) -> TreeNode:
        node = self._hierarchy.node(call.values["node"])
        if node.type not in GROUPS and node.id not in _GROUP_LIKE:
            raise Refusal("InvalidParam_NodeID")
        return node

    # --- making -----------------------------------------------------------------------------------

    @handles("createUser", "createGroup")
    def create(self, call: ReceivedCall) -> Result:
        """Create an empty user's node or group below a node that may hold it."""
        self._hierarchy.administrator(call)
        parent = self._hierarchy.node(call.values["parent"], "InvalidParam_Parent")
        user_type, group_type = BELOW.get(parent.type, (None, None))
        node_type = group_type if call.name == "createGroup" else user_type
        if node_type is None:
            return Result("InvalidParam_Parent")
        return ok(node=str(self._hierarchy.tree.add(parent.id, node_type).id))

    @handles("createUsers")
    def create_users(self, call: ReceivedCall) -> Result:
        """Create many users; if one is refused, none is created."""
        self._hierarchy.administrator(call)
        rows = call.records
        if not rows or any(self._is_refused(row) for row in rows):
            return Result("Error")
        for row in rows:
            parent = self._hierarchy.nodes[int(row["parentid"])]
            node = self._hierarchy.tree.add(parent.id, BELOW[parent.type][0])
            node.nick, node.sso_id = row.get("nick", ""), row.get("ssoid", "")
            self._fill(node, row["name"], row["email"], row["pwd"], enabled=row.get("status") != "Disabled")
        return OK

    def _is_refused(self, row: Mapping[str, str]) -> bool:
        parent = row.get("parentid", "")
        is_number = parent.isdecimal() and len(parent) <= _LONGEST_NUMBER
        node = self._hierarchy.nodes.get(int(parent)) if is_number else None
        complete = all(row.get(name) for name in ("uniqueid", "name", "email", "pwd"))
        confirmed = row.get("pwd") == row.get("confpwd")
        known = row.get("email", "").lower() in self._access.users
        return node is None or node.type not in BELOW or not complete or not confirmed or known

    # --- changing ---------------------------------------------------------------------------------

    @handles("setUser", "setUser_v2")
    def set_user(self, call: ReceivedCall) -> Result:
        """Change the whole record of a user, and the password if one is given."""
        administrator = self._hierarchy.administrator(call)
        values = call.values
        node = self._user_node(values["node"])
        password = values["password"]
        self._check(node, values["name"], values["email"], password)
        own = node.user is administrator and node.type is NodeType.MASTER_ADMINISTRATOR
        if own and password and values["current_password"] != administrator.password:
            return Result("InvalidParam_Missing_Current_Password")
        node.nick, node.sso_id = values["nick"], values["sso_id"]
        node.description, node.mobile_addon = values["description"], _true(values["mobile_addon"])
        node.rpat_addon = _true(values.get("rpat_addon", node.rpat_addon))
        self._fill(node, values["name"], values["email"], password, enabled=_true(values["enabled"]))
        return OK

    def _check(self, node: TreeNode, name: str, email: str, password: str) -> None:
        taken = self._access.users.get(email.lower())
        for wrong, word in (
            (not name.strip(), "InvalidParam_Name"),
            ("@" not in email, "InvalidParam_Email"),
            (taken is not None and taken is not node.user, "InvalidParam_Email_Already_In_Use"),
            (len(password.split()) > 1, "InvalidParam_Password_Cannot_Contain_Whitespace_Characters"),
            (
                0 < len(password) < _LEAST_PASSWORD,
                "InvalidParam_Password_Has_To_Be_At_Least_8_Characters_Long",
            ),
        ):
            if wrong:
                raise Refusal(word)

    def _fill(self, node: TreeNode, name: str, email: str, password: str, *, enabled: bool) -> None:
        """Set name, login and state of a user's node and its user; an empty node gets a new user."""
        users = self._access.users
        node.name, node.enabled = name, enabled
        user = node.user
        if user is None:
            user = node.user = EmulatedUser(email.lower(), password, console=False)
        users.pop(user.email, None)
        user.email, user.name = email.lower(), name
        user.password = password or user.password
        users[user.email] = user
        for other in self._hierarchy.nodes.values():
            if other.user is user:
                other.name = name
        self._hierarchy.update_roles(user)

    @handles("setUserStatus_v7_1")
    def set_status(self, call: ReceivedCall) -> Result:
        """Enable or disable a user in one role."""
        self._hierarchy.administrator(call)
        node = self._user_node(call.values["node"])
        node.enabled = _true(call.values["enabled"])
        self._hierarchy.update_roles(node.user)
        return OK

    @handles("setGroup", "setGroup_v2")
    def set_group(self, call: ReceivedCall) -> Result:
        """Change the record of a group, and its permissions if some are given."""
        self._hierarchy.administrator(call)
        node, values = self._group(call), call.values
        if not values["name"].strip():
            return Result("InvalidParam_Name")
        node.name, node.enabled, node.description = values["name"], _true(values["enabled"]), values["description"]
        node.permissions = _names(values["permissions"]) or node.permissions
        node.locked_permissions = _names(values["locked_permissions"]) or node.locked_permissions
        return OK


def _true(value: object) -> bool:
    return str(value) in ("Enabled", "True")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _user_record(node: TreeNode, *, holder: bool, modern: bool) -> nodes.User:
    return nodes.User(
        id=node.id,
        name=node.name,
        nick=node.nick,
        email=node.email,
        sso_id=node.sso_id,
        description=node.description,
        type=node.type,
        status=node.status,
        account_holder=holder,
        mobile_addon=node.mobile_addon,
        rpat_addon=node.rpat_addon if modern else None,
    )


def _group_record(node: TreeNode, *, modern: bool) -> nodes.Group:
    return nodes.Group(
        id=node.id,
        name=node.name,
        description=node.description,
        type=node.type,
        permissions=node.permissions,
        locked_permissions=node.locked_permissions,
        enabled=node.enabled,
        standard_limit=0,
        mobile_limit=0,
        rpat_limit=0 if modern else None,
    )
