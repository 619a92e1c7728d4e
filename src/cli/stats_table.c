/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stats_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define CELL_SIZE 48

enum {
	COLUMN_CPU,
	COLUMN_MEMORY,
	COLUMN_MEMORY_SHARE,
	COLUMN_NETWORK,
	COLUMN_BLOCK_IO,
	COLUMN_PIDS,
	COLUMNS, /* besides the id, which may be long */
};

struct cells {
	char text[COLUMNS][CELL_SIZE];
};

/* Three digits, as people read them: "640KiB", "15.4MiB", "1.08GiB". */
static void format_bytes(uint64_t bytes, char *text, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double number = (double)bytes;
	size_t unit = 0;

	while (number >= 999.5 && unit + 1 < ARRAY_SIZE(units)) {
		number /= 1024;
		unit++;
	}
	snprintf(text, size, "%.*f%s",
		 unit == 0 || number >= 99.95 ? 0
		 : number >= 9.995	      ? 1
					      : 2,
		 number, units[unit]);
}

static void format_pair(uint64_t first, uint64_t second, char *text)
{
	char left[16], right[16];

	format_bytes(first, left, sizeof(left));
	format_bytes(second, right, sizeof(right));
	snprintf(text, CELL_SIZE, "%s / %s", left, right);
}

static void fill(struct cells *cells, const struct stats_row *row)
{
	const struct driver_stats *now = row->now;
	double share = now->memory_limit ? (double)now->memory / (double)now->memory_limit : 0;

	snprintf(cells->text[COLUMN_CPU], CELL_SIZE, row->rate_known ? "%.2f%%" : "-", row->cpu);
	format_pair(now->memory, now->memory_limit, cells->text[COLUMN_MEMORY]);
	snprintf(cells->text[COLUMN_MEMORY_SHARE], CELL_SIZE, "%.2f%%", share * 100);
	format_pair(now->network_received, now->network_sent, cells->text[COLUMN_NETWORK]);
	format_pair(now->block_read, now->block_written, cells->text[COLUMN_BLOCK_IO]);
	snprintf(cells->text[COLUMN_PIDS], CELL_SIZE, "%" PRIu64, now->pids);
}

static void widen(size_t *width, const char *text)
{
	if (strlen(text) > *width)
		*width = strlen(text);
}

static void print_line(const char *id, size_t id_width, const struct cells *cells,
		       const size_t *widths)
{
	printf("%-*s", (int)id_width + 3, id);
	for (size_t column = 0; column + 1 < COLUMNS; column++)
		printf("%-*s", (int)widths[column] + 3, cells->text[column]);
	printf("%s\n", cells->text[COLUMNS - 1]);
}

int stats_table_print(const struct stats_row *rows, size_t count, struct error *err)
{
	static const struct cells heading = {{"CPU %", "MEM USAGE / LIMIT", "MEM %",
					      "NET RECEIVED / SENT", "BLOCK READ / WRITTEN",
					      "PIDS"}};
	cleanup_free struct cells *cells = calloc(count + 1, sizeof(*cells));
	size_t id_width = strlen("ID"), widths[COLUMNS] = {0};

	if (!cells)
		return error_set(err, "out of memory");
	for (size_t column = 0; column < COLUMNS; column++)
		widen(&widths[column], heading.text[column]);
	for (size_t i = 0; i < count; i++) {
		fill(&cells[i], &rows[i]);
		widen(&id_width, rows[i].id);
		for (size_t column = 0; column < COLUMNS; column++)
			widen(&widths[column], cells[i].text[column]);
	}
	print_line("ID", id_width, &heading, widths);
	for (size_t i = 0; i < count; i++)
		print_line(rows[i].id, id_width, &cells[i], widths);
	return 0;
}
