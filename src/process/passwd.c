/* SPDX-License-Identifier: Apache-2.0 */
#include "process/passwd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any image's; an image's file is not trusted to be of a sensible size. */
#define PASSWD_MAX ((size_t)1024 * 1024)

static char *read_passwd(void)
{
	struct stat st;
	char *text = NULL;
	size_t have = 0;
	ssize_t got = 1;
	/* Not to hang on a FIFO, nor to read a device. */
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size <= PASSWD_MAX)
		text = malloc((size_t)st.st_size + 1);
	while (text && have < (size_t)st.st_size && got > 0) {
		got = read(fd, text + have, (size_t)st.st_size - have);
		if (got > 0)
			have += (size_t)got;
	}
	if (text)
		text[have] = '\0';
	close(fd);
	return text;
}

char *passwd_home(uint32_t uid)
{
	char *text = read_passwd(), *line, *save = NULL, *result = NULL;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line && !result;
	     line = strtok_r(NULL, "\n", &save)) {
		char *fields[7] = {line}, *end;
		int count = 1;

		/* name:password:uid:gid:gecos:home:shell; fields may be empty. */
		for (; count < 7 && (end = strchr(fields[count - 1], ':')); count++) {
			*end = '\0';
			fields[count] = end + 1;
		}
		if (count < 6 || !*fields[2])
			continue;
		/* No sign, no blanks: strtoull would have "-18446744073709550616" be 1000. */
		if (fields[2][strspn(fields[2], "0123456789")] ||
		    strtoull(fields[2], NULL, 10) != uid || !*fields[5])
			continue;
		if (asprintf(&result, "HOME=%s", fields[5]) < 0)
			result = NULL;
	}
	free(text);
	return result ? result : (char *)"HOME=/";
}
