"""The control plane, which acts on an emulator over HTTP.

`plane` has its actions, `guard` keeps web pages out, and `front` is the page for people.
"""
