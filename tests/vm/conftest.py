# SPDX-License-Identifier: Apache-2.0
"""Says at the end how long each guest took."""


def pytest_terminal_summary(terminalreporter, config):
    guests = getattr(config, "guests", None)
    if guests:
        terminalreporter.section("guests")
        for line in guests.summary():
            terminalreporter.line(line)
