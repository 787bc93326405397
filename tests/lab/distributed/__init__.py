"""Parts of the tests of distributed jobs."""
