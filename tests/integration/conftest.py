# SPDX-License-Identifier: Apache-2.0
"""Fixtures that several files here use."""

# pylint: disable=unused-import
from lib.checkpoint import checkpoint, counter, criu, image, restore, why_not
