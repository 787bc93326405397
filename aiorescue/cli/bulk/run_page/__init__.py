"""The page about a run of `aiorescue pins` (``--report``): what is recorded of it, and the HTML that shows it."""
