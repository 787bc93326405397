# ruff: noqa: INP001 - a script, not a package
"""Write ``aiorescue/inforouter/methods.json`` from the reference's ``methods.json``.

    python docs/inforouter_catalogue.py path/to/ticket-service/methods.json

One line a method. A parameter is ``name type`` and, after a blank, the element's name over SOAP where it differs;
``?`` after the type marks an optional one, ``!`` a secret. What is usual is left out: a required ticket, an XML
answer, a current method that is known since 2019 or before, and all three bindings.
"""

import json
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "aiorescue" / "inforouter" / "methods.json"

_SECRET = re.compile(r"pwd|password|secrettext|oldticket|^ticket$", re.IGNORECASE)

_READS = re.compile(
    r"[Gg]et|[Ii]s[A-Z]|ServerInfo|Search\w|Download(Document|Zip$|File)|Associat(ed|ionTypes)|\w+Exists|\w+AccessAllowed"
    r"|VerifyVersionHash|MaintenanceBeat",
)
#: They look like reads, but move the cursor of the session's search: repeated, one would skip a page.
_CURSORS = frozenset({"GetNextSearchPage", "GetPreviousSearchPage"})
#: They issue a handler or a ticket, which expires if it is not used.
_EXPIRES = re.compile(r"(Get|Create)(Down|Up)loadHandler|DownloadZipWithHandler|CreateTicketforUser")
#: They lead to one state, however often they are called. The other `Set…` append a comment, move a workflow on, or
#: write a log.
_IDEMPOTENT = re.compile(
    r"Authenticate|RenewTicket|LogOut|Search$|FlushApplicationCache"
    r"|Set(?!TaskComment|TagTo|UserTask|TaskApproval|DocumentCompletion|RdFreeze|VersionText|DocumentText)",
)


def effect(name: str) -> str:
    """What repeating a call would do; unless that is clearly harmless, it is taken to be carried out twice."""
    if name in _CURSORS:
        return "CREATES"
    if _EXPIRES.match(name):
        return "EXPIRES"
    if _IDEMPOTENT.match(name):
        return "IDEMPOTENT"
    return "READ" if _READS.match(name) else "CREATES"


def parameter(declared: dict[str, Any], wsdl: Collection[str]) -> str:
    """One parameter in the notation of the catalogue; names in the WSDL go before those in the samples of a page."""
    name = declared["name"]
    sample = None if name in wsdl else declared.get("soap_name_docs")
    soap = declared.get("soap_name_wsdl2019") or sample or name
    kind = "node" if declared.get("soap_type_wsdl2019") == "xml-node" else declared["type"]
    marks = ("" if declared["required"] else "?") + ("!" if _SECRET.search(name) else "")
    return f"{name} {kind}{marks}" + ("" if soap == name else f" {soap}")


def record(method: dict[str, Any], groups: list[str]) -> dict[str, Any]:
    """One method, without the values that most methods have."""
    wsdl = (method["wsdl2019"] or {}).get("params") or ()
    ticket = [p for p in method["params"] if p["name"].lower() == "authenticationticket"]
    rest = [p for p in method["params"] if p not in ticket]
    found: dict[str, Any] = {"name": method["name"], "group": groups.index(method["group"] or "")}
    if ticket:
        found["ticket"] = parameter(ticket[0], wsdl).replace(" string", "").replace("?", "").strip()
    if method["ticket"] != "required":
        found["needs"] = method["ticket"]
    if method["response"]["kind"] != "xml":
        found["answers"] = method["response"]["kind"]
    found["effect"] = effect(method["name"])
    if method["status"] != "current":
        found["status"] = method["status"]
    if method["wsdl2019"] is None:
        found["new"] = True
    if "GET" not in method["bindings"]:
        found["get"] = False
    found["parameters"] = [parameter(p, wsdl) for p in rest]
    return found


def main(source: Path) -> None:
    """Write the catalogue from the reference's file."""
    methods = json.loads(source.read_text("utf-8"))["methods"]
    groups = sorted({method["group"] or "" for method in methods})
    lines = [json.dumps(record(m, groups), separators=(",", ":")) for m in sorted(methods, key=lambda m: m["name"])]
    head = json.dumps(groups)
    TARGET.write_text(f'{{"groups":{head},\n"methods":[\n' + ",\n".join(lines) + "\n]}\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
