"""The rules of both services, a file for each idea; none of them knows how a call came in.

`call.py` says what a call and an answer are. The other files are rooms: each keeps a part of what the services
remember, and its methods answer the operations that they name. `state.py`, one floor up, puts them together.
"""
