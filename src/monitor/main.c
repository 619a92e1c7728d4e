/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor as a program of its own, which is executed from a sealed memfd, so that a container
 * finds nothing of the host's behind /proc/PID/exe (CVE-2019-5736). */
#include <stdlib.h>

#include "lxc/monitor.h"
#include "monitor/run.h"

int main(int argc, char **argv)
{
	if (argc != MONITOR_ARGUMENTS)
		return 1;
	return monitor_run(atoi(argv[MONITOR_ARGUMENT_LOWEST]),
			   (pid_t)atoi(argv[MONITOR_ARGUMENT_CALLER]));
}
