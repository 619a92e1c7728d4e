/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: liblxc NAME PATH ITEMS PROGRAM
 *
 * The smallest program that has liblxc start a container, and waits for its end: what LXC itself
 * takes for the items in a file.
 */
#include <lxc/lxccontainer.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
	struct lxc_container *container = argc == 5 ? lxc_container_new(argv[1], argv[2]) : NULL;

	if (!container || !container->load_config(container, argv[3])) {
		fprintf(stderr, "liblxc: no container of \"%s\"\n", argc == 5 ? argv[3] : "");
		return 1;
	}
	container->want_daemonize(container, false);
	container->want_close_all_fds(container, false);
	if (!container->start(container, 0, &argv[4])) {
		fprintf(stderr, "liblxc: the container does not start\n");
		return 1;
	}
	/* As waitpid(2) has it. */
	if (WIFSIGNALED(container->error_num))
		return 128 + WTERMSIG(container->error_num);
	return WEXITSTATUS(container->error_num);
}
