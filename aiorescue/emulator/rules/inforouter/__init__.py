"""The rules of infoRouter.

- `tickets`: authentication tickets, the anonymous user, what the server says of itself.
- `items`, `shown`: folders and documents in memory, and as the XML elements of an answer.
- `library`, `search`, `transfer`: operations on folders and documents, searches, uploads and downloads.
"""
