"""The answers that reports of `aiorescue verify` have kept are read: one file in samples/verify/ for each report."""

import json
from pathlib import Path

import pytest

from tests.rescue.verify_evidence import reads

REPORTS = sorted((Path(__file__).parent / "samples" / "verify").glob("*.json"))


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_each_answer_of_a_report_is_read(path: Path):
    kept = [each["evidence"] for each in json.loads(path.read_text("utf-8"))["checks"] if "evidence" in each]
    assert kept
    assert [f"{each['operation']} over {each['binding']}" for each in kept if not reads(each)] == []
