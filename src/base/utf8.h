/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNLXC_BASE_UTF8_H
#define RUNLXC_BASE_UTF8_H

/* A path may hold any bytes; JSON may not. What isn't UTF-8 becomes U+FFFD, as Go's encoder does
 * it. NULL: out of memory; the caller frees it. */
char *utf8_clean(const char *text);

#endif
