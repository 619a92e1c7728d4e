# SPDX-License-Identifier: Apache-2.0
"""The tests that need the kernel's resctrl file system, in a guest whose kernel has it.

No processor is known to be at hand that has what is limited by it. The kernel is Debian's, with three instructions
changed so that it takes the emulated one for such a processor (tests/vm/resctrl-kernel): what the file system does is
the kernel's own, and what the cache would do nobody sees.
"""

import os
import re
import subprocess
import sys

import pytest

from lib import guest

SECONDS = 600
FILES = (
    "tests/integration/test_resctrl.py",
    "tests/integration/test_restore.py::test_what_is_restored_is_in_its_resctrl_group",
    "tests/conformance/test_linux_resctrl.py",
)
SCRIPT = """
mount -t resctrl resctrl /sys/fs/resctrl || exit
export PYTHONDONTWRITEBYTECODE=1 RUNLXC={command}
exec {python} -m pytest -p no:cacheprovider --tb=short -q -rs {files}
"""

pytestmark = [
    pytest.mark.limit(SECONDS + 180),
    pytest.mark.skipif(not guest.ALL, reason="make check-vm runs them"),
    pytest.mark.skipif(os.uname().machine != "x86_64", reason="the guest is one for x86_64"),
]


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def test_resctrl(request, workdir):
    command = request.config.command
    script = SCRIPT.format(command=command, python=sys.executable, files=" ".join(FILES))
    build = os.path.dirname(os.path.dirname(os.path.dirname(command)))
    argv = [f"{guest.REPOSITORY}/tests/vm/run", "-r", "-t", str(SECONDS), "-s", guest.REPOSITORY, "-s", build, "--", script]
    with open(f"{workdir}/stdout", "wb") as out, open(f"{workdir}/stderr", "wb") as err:
        done = subprocess.run(argv, cwd=guest.REPOSITORY, stdin=subprocess.DEVNULL, stdout=out, stderr=err, check=False)
    said, why = (read(f"{workdir}/{name}") for name in ("stdout", "stderr"))
    if "tests/vm/resctrl-kernel: " in why:
        pytest.skip(f"no resctrl: {why.strip()}")
    assert done.returncode == 0, f"{said}\n{why}"
    # Those that a host without it is for, and what no Haswell has.
    skipped = re.findall(r"SKIPPED \[\d+\] \S+ (.*)", said)
    assert set(skipped) == {"resctrl is mounted here", "this processor can't limit the memory's bandwidth"}, said
    assert int(re.search(r"(\d+) passed", said)[1]) > 30, said
