"""The laboratory: virtual time, services with hidden limits and test servers, for tests and benchmarks alike."""
