"""Bulk jobs on the command line: `aiorescue pins`, which works on a job, and `aiorescue job`, which asks about one."""
