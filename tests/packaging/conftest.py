# SPDX-License-Identifier: Apache-2.0
"""Fixtures of what comes with the program: completion, manual pages, packages."""

import os

import pytest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(os.path.dirname(os.path.abspath(__file__))):
            item.add_marker(pytest.mark.ours)


@pytest.fixture(scope="session")
def repository():
    return REPOSITORY
