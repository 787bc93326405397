"""Bulk jobs: many PIN codes as fast as the service allows, with a journal that lets a job go on after a crash."""

from aiorescue.bulk.issued import Issued
from aiorescue.bulk.job import Job, issue, issue_staged
from aiorescue.bulk.journal import Journal
from aiorescue.bulk.outage import Outage
from aiorescue.bulk.store import InputRow, JobStatus, Staging, State, Store, StoredRow, StoreReader

__all__ = [
    "InputRow",
    "Issued",
    "Job",
    "JobStatus",
    "Journal",
    "Outage",
    "Staging",
    "State",
    "Store",
    "StoreReader",
    "StoredRow",
    "issue",
    "issue_staged",
]
