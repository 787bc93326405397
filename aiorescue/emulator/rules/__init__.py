"""The rules of both emulated services: what each operation does, remembers and refuses, without any HTTP.

`call.py` defines a call, its result, a refusal and the limits; `logins.py` keeps server sessions and tickets. The rules
of LogMeIn Rescue are in `rescue/`, those of infoRouter in `inforouter/`. A class of rules owns one part of the state,
takes the other rules that it needs by its constructor, and marks its methods with the operations that they handle.
`aiorescue.emulator.state` makes one object of each class.
"""
