/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/clock.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

/* Civil date of a day number since 1970-01-01. Own arithmetic since gmtime_r() and strftime() cost more than the rest
 * of an event's JSON; the unit test holds it to them. */
static void civil_from_days(uint64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day) {
        uint64_t z = days + 719468, era = z / 146097, day_of_era = z % 146097;
        unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        unsigned m = (5 * day_of_year + 2) / 153;

        *ret_day = day_of_year - (153 * m + 2) / 5 + 1;
        *ret_month = m < 10 ? m + 3 : m - 9;
        *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

static char *put_digits(char *p, unsigned value, unsigned n) {
        for (unsigned i = n; i > 0; i--) {
                p[i - 1] = (char) ('0' + value % 10);
                value /= 10;
        }
        return p + n;
}

static void format_second(uint64_t second, char *p) {
        unsigned year, month, day, second_of_day = second % 86400;

        civil_from_days(second / 86400, &year, &month, &day);
        p = put_digits(p, year, 4);
        *p++ = '-';
        p = put_digits(p, month, 2);
        *p++ = '-';
        p = put_digits(p, day, 2);
        *p++ = 'T';
        p = put_digits(p, second_of_day / 3600, 2);
        *p++ = ':';
        p = put_digits(p, second_of_day / 60 % 60, 2);
        *p++ = ':';
        p = put_digits(p, second_of_day % 60, 2);
        *p++ = '.';
}

size_t clock_format_rfc3339(uint64_t usec, char buffer[static CLOCK_FORMAT_SIZE]) {
        const uint64_t last = (uint64_t) 253402300799 * USEC_PER_SEC + 999999;
        /* Events come in bursts: most are of the same second as the one before. */
        static char text[] = "1970-01-01T00:00:00.";
        static uint64_t second;
        char *p;

        usec = MIN(usec, last);
        if (usec / USEC_PER_SEC != second) {
                second = usec / USEC_PER_SEC;
                format_second(second, text);
        }

        p = put_digits(mempcpy(buffer, text, sizeof(text) - 1), usec % USEC_PER_SEC, 6);
        *p++ = 'Z';
        *p = '\0';
        return p - buffer;
}

static uint64_t days_from_civil(unsigned y, unsigned month, unsigned day) {
        unsigned year = y - (month <= 2), m = month > 2 ? month - 3 : month + 9;
        unsigned era = year / 400, year_of_era = year - era * 400;
        unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * m + 2) / 5 + day - 1;

        return (uint64_t) era * 146097 + day_of_era - 719468;
}

/* Reads digits where the pattern has a 0, and what else it has as it stands there. */
static bool parse_pattern(Text t, const char *pattern, unsigned numbers[static 7]) {
        unsigned n = 0;

        if (t.len != strlen(pattern))
                return false;
        for (size_t i = 0; i < t.len; i++) {
                if (pattern[i] != '0') {
                        if (t.data[i] != pattern[i])
                                return false;
                        n++;
                        continue;
                }
                if (t.data[i] < '0' || t.data[i] > '9')
                        return false;
                numbers[n] = numbers[n] * 10 + (unsigned) (t.data[i] - '0');
        }
        return true;
}

int clock_parse_rfc3339(Text t, uint64_t *ret_usec) {
        unsigned n[8] = {}; /* year to second, µs */
        char again[CLOCK_FORMAT_SIZE];
        uint64_t usec;

        if (!parse_pattern(t, "0000-00-00T00:00:00.000000Z", n) || n[0] < 1970 || n[1] == 0 || n[1] > 12)
                return -EINVAL;
        usec = (((days_from_civil(n[0], n[1], n[2]) * 24 + n[3]) * 60 + n[4]) * 60 + n[5]) * USEC_PER_SEC + n[6];

        /* No 30th of February. */
        clock_format_rfc3339(usec, again);
        if (!text_equal(t, text_from_string(again)))
                return -EINVAL;
        *ret_usec = usec;
        return 0;
}
