"""Customers' CSV files for the tests of `aiorescue pins`."""

#: Options for a service without a rate limit.
FAST = ("--pin-rate", "1000")


def rows(count: int) -> str:
    return "custom_field_0,tracking\n" + "".join(f"Jane {i},CASE-{i}\n" for i in range(count))
