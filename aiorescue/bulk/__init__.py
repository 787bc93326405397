"""Bulk jobs: many PIN codes as fast as the service allows, with a journal that lets a job go on after a crash."""

from aiorescue.bulk.issued import Issued
from aiorescue.bulk.job import Job, issue

__all__ = ["Issued", "Job", "issue"]
