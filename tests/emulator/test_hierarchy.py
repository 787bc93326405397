"""The account's tree and the people in it: shown, made, changed, moved and deleted."""

import pytest

from aiorescue import AuthCode, Login, RescueClient, errors, rescue
from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.rescue.tree import ADMINISTRATORS, CHANNEL, GROUP, MASTERS, ROOT, TECHNICIANS
from aiorescue.rescue import NodeStatus, NodeType
from tests.emulator.sockets import page

JOHN_ADMIN, JOHN, JANE = 337365, 337366, 337368


@pytest.fixture
async def client(service):
    async with RescueClient(AuthCode("fixedtech0000"), base_url=service.url, pace=None) as client:
        yield client


async def test_the_tree_has_a_root_groups_people_a_channel_and_a_link(client):
    tree = await client.get_hierarchy()
    assert {node.type for node in tree} >= {
        *(NodeType.ROOT, NodeType.MASTER_ADMINISTRATORS, NodeType.ADMINISTRATORS, NodeType.TECHNICIANS),
        *(NodeType.TECHNICIAN_GROUP, NodeType.MASTER_ADMINISTRATOR, NodeType.ADMINISTRATOR, NodeType.TECHNICIAN),
        *(NodeType.ADMINISTRATOR_LINK, NodeType.CHANNEL),
    }
    assert next(tree.walk()).id == ROOT
    assert len(list(tree.walk())) == len(tree)
    statuses = {node.email: node.status for node in tree if node.type is NodeType.TECHNICIAN}
    assert statuses["tech@example.com"] is NodeStatus.ONLINE
    assert statuses["offline@example.com"] is NodeStatus.OFFLINE
    assert statuses["disabled@example.com"] is NodeStatus.DISABLED
    assert "deleted@example.com" not in statuses


async def test_version_2_begins_at_a_node_and_hides_who_is_offline(client):
    below = await client.get_hierarchy_v2(GROUP)
    assert {node.parent_id for node in below if node.id != GROUP} == {GROUP}
    online = await client.get_hierarchy_v2(GROUP, without_offline=True)
    assert {node.email for node in below} - {node.email for node in online} == {"offline@example.com"}


async def test_the_account_has_the_nodes_of_the_user_who_calls(service, client):
    account = await client.get_account_v2()
    assert (account.admin_id, account.technician_id, account.console_running) == (JOHN_ADMIN, JOHN, True)
    text = await page(service, "getAccount", "authcode=fixedadmin0000")
    assert "TechID:0" in text


async def test_a_user_is_made_named_moved_disabled_and_deleted(service, client):
    node = await client.create_user(GROUP)
    assert (await client.get_user(node)).email == ""
    who = {"name": "Zoë <&> Ñ", "email": "Zoe@Example.com", "nick": "Zo", "sso_id": "z1", "description": "new"}
    await client.set_user(node=node, **who, password="long-enough", mobile_addon=True)
    user = await client.get_user_v3(email="zoe@example.com")
    assert (user.id, user.name, user.nick, user.sso_id, user.description) == (node, "Zoë <&> Ñ", "Zo", "z1", "new")
    assert (user.mobile_addon, user.rpat_addon, user.account_holder) == (True, False, False)
    assert service.state.users["zoe@example.com"].technician
    group = await client.create_group(TECHNICIANS)
    await client.set_group(node=group, name="Second", permissions=["RemoteControl"], description="d")
    await client.move_node(group, node)
    assert (await client.get_hierarchy()).find(node).parent_id == group
    await client.set_user_status_v7_1(node, enabled=False)
    assert (await client.get_user(node)).status is NodeStatus.DISABLED
    await client.delete_node(group)
    assert service.state.users["zoe@example.com"].gone
    with pytest.raises(errors.InvalidParameter):
        await client.get_user(node)


async def test_a_person_who_was_made_can_log_in(service, client):
    node = await client.create_user(ADMINISTRATORS)
    await client.set_user(node=node, name="Ann", email="ann@example.com", password="long-enough")
    async with RescueClient(Login("ann@example.com", "long-enough"), base_url=service.url, pace=None) as ann:
        assert (await ann.get_account()).admin_id == node


async def test_many_users_are_made_at_once_or_none(service, client):
    def new(name, parent=GROUP):
        return rescue.NewUser(
            unique_id=name, parent=parent, name=name, email=f"{name}@x.org", password="long-enough", enabled=name != "b"
        )

    await client.create_users([new("a"), new("b")])
    assert [service.state.users[f"{name}@x.org"].gone for name in "ab"] == [False, True]
    with pytest.raises(errors.RescueError):
        await client.create_users([new("c"), new("a")])
    assert "c@x.org" not in service.state.users


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"name": " "}, "InvalidParam_Name"),
        ({"email": "nobody"}, "InvalidParam_Email"),
        ({"email": "second@example.com"}, "InvalidParam_Email_Already_In_Use"),
        ({"password": "with a blank"}, "InvalidParam_Password_Cannot_Contain_Whitespace_Characters"),
        ({"password": "short"}, "InvalidParam_Password_Has_To_Be_At_Least_8_Characters_Long"),
        ({"node": JOHN_ADMIN, "password": "long-enough"}, "InvalidParam_Missing_Current_Password"),
        ({"node": GROUP}, "InvalidParam_NodeID"),
    ],
)
async def test_a_record_that_cannot_be_is_refused(client, changes, word):
    who = {"node": JOHN, "name": "John", "email": "tech@example.com"}
    with pytest.raises(errors.InvalidParameter) as caught:
        await client.set_user(**who | changes)
    assert caught.value.status == f"setUser_{word}"


async def test_the_master_confirms_a_new_password_with_the_old_one(service, client):
    who = {"node": JOHN_ADMIN, "name": "John Doe", "email": "tech@example.com", "password": "long-enough"}
    await client.set_user_v2(**who, current_password="secret", rpat_addon=True)
    assert service.state.users["tech@example.com"].password == "long-enough"
    assert (await client.get_user_v3(JOHN_ADMIN)).rpat_addon


async def test_only_a_user_with_an_administrators_role_changes_anything(service):
    async def said(name, query):
        return await page(service, name, f"{query}&authcode=fixedplain0000")

    assert await said("createUser", f"parent={GROUP}") == "ERROR"
    assert await said("moveNode", f"targetNode={GROUP}&node={JANE}") == "INVALID_MOVE"
    assert await said("deleteNode", f"node={JANE}") == "INVALID_DELETE"
    assert await said("assignChannel", f"node={JANE}&entry={CHANNEL}") == "INVALID_ASSIGN"
    assert await said("unassignChannel", f"node={JANE}&entry={CHANNEL}") == "INVALID_DEASSIGN"


async def test_what_cannot_be_in_the_tree_is_refused(service):
    async def said(name, query):
        return await page(service, name, f"{query}&authcode=fixedtech0000")

    assert await said("createUser", f"parent={CHANNEL}") == "INVALIDPARAM_PARENT"
    assert await said("createGroup", f"parent={MASTERS}") == "INVALIDPARAM_PARENT"
    assert await said("moveNode", f"targetNode={ADMINISTRATORS}&node={JOHN}") == "INVALID_MOVE"
    assert await said("moveNode", f"targetNode={GROUP}&node={GROUP}") == "INVALID_MOVE"
    assert await said("moveNode", f"targetNode=1&node={JOHN}") == "INVALIDPARAM_TARGETNODE"
    assert await said("moveNode", f"targetNode={GROUP}&node=x") == "INVALIDPARAM_NODE"
    assert await said("deleteNode", f"node={JOHN}") == "INVALID_DELETE"
    assert await said("deleteNode", f"node={CHANNEL}") == "INVALID_DELETE"
    assert await said("assignChannel", f"node={JOHN}&entry={JANE}") == "INVALIDPARAM_ENTRY"
    assert await said("assignChannel", f"node={JOHN_ADMIN}&entry={CHANNEL}") == "INVALID_ASSIGN"
    assert await said("getGroup", f"node={JOHN}") == "INVALIDPARAM_NODE"


async def test_who_loses_the_technicians_node_gets_no_pins(service, client):
    service.state.add_user(EmulatedUser("new@example.com", auth_code="new"))
    node = service.state.hierarchy.node_of("new@example.com", NodeType.TECHNICIAN)
    assert (await page(service, "requestPINCode", "authcode=new")).startswith("OK")
    await client.delete_node(node)
    assert await page(service, "requestPINCode", "authcode=new") == "NOTTECHNICIAN"


async def test_groups_tell_their_permissions(client):
    await client.set_group_v2(node=GROUP, name="G", enabled=False, locked_permissions=["SendFile"])
    over_soap, on_page = await client.get_group(GROUP), await client.get_group_v2(GROUP)
    assert over_soap.permissions == on_page.permissions == ("RemoteControl", "RemoteView", "SendFile", *_REST)
    assert (on_page.locked_permissions, on_page.enabled, on_page.rpat_limit) == (("SendFile",), False, 0)


_REST = ("ViewSystemInformation",)
