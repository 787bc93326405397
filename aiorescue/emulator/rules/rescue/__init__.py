"""The rules of LogMeIn Rescue.

- `access`: users, auth codes, server sessions, single sign-on.
- `pins`: PIN codes, invitation links, e-mail texts, and the ledger of issued PINs.
- `support_session`, `sessions`: one support session and its states; the operations on all of them.
- `tree`, `hierarchy`, `users`: the nodes of the account; operations on the tree, and on users and groups.
- `report_settings`, `reports`, `tables`: what a report is set to show; reports, chats and notes; a report's table.
"""
