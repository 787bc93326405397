"""Many PIN codes: as fast as the service allows, journalled, resumable."""

from aiorescue.bulk.job import Issued, Job, issue

__all__ = ["Issued", "Job", "issue"]
