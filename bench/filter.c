/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles a seccomp profile by libseccomp, for floor.c. On standard input: the default errno, then
 * the architectures' names in a line, then a line for each rule: "NAME ERRNO" (0: it is allowed),
 * and behind it for each argument "INDEX OPERATION VALUE VALUE2". On standard output: the filter.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t action(unsigned long error)
{
	return error ? SCMP_ACT_ERRNO(error) : SCMP_ACT_ALLOW;
}

static void add_rule(scmp_filter_ctx filter, char *line)
{
	struct scmp_arg_cmp compared[6];
	char *save = NULL, *name = strtok_r(line, " \n", &save), *word;
	unsigned long error = strtoul(strtok_r(NULL, " \n", &save), NULL, 10);
	unsigned int count = 0;
	int number = seccomp_syscall_resolve_name(name);

	while (count < 6 && (word = strtok_r(NULL, " \n", &save))) {
		compared[count].arg = (unsigned int)strtoul(word, NULL, 10);
		compared[count].op =
		    (enum scmp_compare)strtoul(strtok_r(NULL, " \n", &save), NULL, 10);
		compared[count].datum_a = strtoull(strtok_r(NULL, " \n", &save), NULL, 10);
		compared[count].datum_b = strtoull(strtok_r(NULL, " \n", &save), NULL, 10);
		count++;
	}
	/* What this libseccomp doesn't know, and what is the default anyway, is left out. */
	if (number != __NR_SCMP_ERROR)
		seccomp_rule_add_array(filter, action(error), number, count, compared);
}

int main(void)
{
	char *line = NULL, *word, *save = NULL;
	scmp_filter_ctx filter;
	size_t size = 0;

	if (getline(&line, &size, stdin) < 0)
		return 1;
	filter = seccomp_init(action(strtoul(line, NULL, 10)));
	/* A tree: the kernel takes a quarter of the time to load it that it takes for a list. */
	if (filter)
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!filter || getline(&line, &size, stdin) < 0)
		return 1;
	for (word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		int failed = seccomp_arch_add(filter, seccomp_arch_resolve_name(word));

		if (failed && failed != -EEXIST)
			return 1;
	}
	while (getline(&line, &size, stdin) > 0)
		add_rule(filter, line);
	return seccomp_export_bpf(filter, STDOUT_FILENO) ? 1 : 0;
}
